"""A Redis of its own, and processes that share it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.monitor.store.crowd import Crowd, gathered


@pytest.fixture
async def crowd(own_redis: OwnRedis) -> AsyncIterator[Crowd]:
    async with gathered(own_redis.url) as crowd:
        yield crowd
