from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.broker.side import Side, sides


@pytest.fixture
def redis_url(module_redis: OwnRedis) -> str:
    """An empty Redis that no test of the module breaks."""
    with Redis.from_url(module_redis.url) as client:
        client.flushall()
    return module_redis.url


@pytest.fixture
def side(redis_url: str) -> Iterator[Side]:
    with sides(redis_url) as (side,):
        yield side
