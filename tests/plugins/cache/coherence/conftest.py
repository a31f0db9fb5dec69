"""What the coherence tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.plugins.cache.coherence.members import Join, members_of
from tests.plugins.cache.coherence.own_redis import OwnRedis


@pytest.fixture
async def join(own_redis: OwnRedis) -> AsyncIterator[Join]:
    """Makes members of one namespace."""
    async with members_of(own_redis.url) as made:
        yield made


@pytest.fixture
async def redis(own_redis: OwnRedis) -> AsyncIterator[Redis]:
    """A client of the same Redis."""
    async with Redis.from_url(own_redis.url) as client:
        yield client
