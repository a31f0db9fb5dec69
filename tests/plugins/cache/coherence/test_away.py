"""While Redis is away, a process that tries to join again and again reads the catalog once, not at each attempt."""

from __future__ import annotations

import anyio
import pytest

from galvo_cache.catalog import CATALOG_SQL
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import shared, two
from tests.plugins.cache.stand import PRICE

pytestmark = pytest.mark.anyio
ATTEMPTS = 6


async def test_a_join_that_fails_does_not_cost_the_catalog(dsn: str, own_redis: OwnRedis) -> None:
    async with two(dsn, cache=shared(own_redis.url, lease=0.2)) as stand:
        await stand.awake()
        own_redis.kill()
        before, doubts = stand.ran(CATALOG_SQL, origin="cache"), stand["doubts"]
        with anyio.fail_after(20):
            while stand["doubts"] < doubts + ATTEMPTS:
                await stand.fresh(PRICE, 1)
        assert stand.ran(CATALOG_SQL, origin="cache") == before + 1
        own_redis.start()
        await stand.awake()
        assert stand.ran(CATALOG_SQL, origin="cache") > before + 1, "the schema may have changed without our knowing"
