"""Lent connections of a pool with a kernel: their statements pass the chain, and do not stand in their own way."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin, create_pool

pytestmark = pytest.mark.anyio
SCHEMA = "create table t(id int primary key, n int); insert into t select g, 0 from generate_series(1, 9) g"


def chain() -> Kernel:
    return Kernel.of({CachePlugin: {}, PoolPlugin: {}})


async def test_all_connections_are_lent_before_the_catalog_is_known(dsn: str) -> None:
    """The cache reads it on a connection that somebody holds: there may be no other."""
    async with create_pool(dsn, kernel=None, min_size=0) as other:
        await other.execute(SCHEMA)
    async with create_pool(dsn, kernel=chain(), min_size=0, max_size=4) as pool:
        holding, go = [0], anyio.Event()

        async def work() -> None:
            async with pool.acquire() as connection:
                holding[0] += 1
                if holding[0] == 4:
                    go.set()
                await go.wait()
                for _ in range(3):
                    assert await connection.fetchval("select sum(n) from t") == 0

        with anyio.fail_after(20):
            await asyncio.gather(*(work() for _ in range(12)))
        assert pool.kernel.plugin_stats("cache")["flushes"] == 0
        assert pool.kernel.plugin_stats("cache")["hits"] > 20
