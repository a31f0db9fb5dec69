"""A Redis of its own, and processes that share it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.monitor.store.crowd import Crowd, gathered


@pytest.fixture
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    redis = OwnRedis(folder)
    redis.start()
    yield redis
    redis.close()


@pytest.fixture
async def crowd(own_redis: OwnRedis) -> AsyncIterator[Crowd]:
    async with gathered(own_redis.url) as crowd:
        yield crowd
