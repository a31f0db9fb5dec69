"""What the tests of L2 share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from galvo_cache.l2 import Shelf, client_of
from tests.plugins.cache.coherence.own_redis import OwnRedis


@pytest.fixture
async def redis(own_redis: OwnRedis) -> AsyncIterator[Redis]:
    """A plain client of the same Redis, patient."""
    async with Redis.from_url(own_redis.url) as client:
        yield client


@pytest.fixture
async def shelf(own_redis: OwnRedis) -> AsyncIterator[Shelf]:
    """A shelf with a patient timeout: the machine is noisy."""
    client = client_of(own_redis.url)
    made = Shelf(client, "test", timeout=5.0)
    yield made
    await made.aclose()
    await client.aclose()
