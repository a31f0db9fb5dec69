"""No reader sees an answer older than what was acknowledged or seen before, under load and while plugins toggle."""

from __future__ import annotations

import asyncio

import anyio
import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.system.oracle import ONE, SCHEMA, Oracle
from tests.thorough import some

pytestmark = pytest.mark.anyio


async def test_concurrent_readers_and_writers(dsn: str) -> None:
    async with Kernel.of({CachePlugin: {}, PoolPlugin: {"url": dsn}}) as kernel:
        oracle = await load(kernel, 20)
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(oracle.read, 0)
            for _ in range(3):
                tasks.start_soon(oracle.write, 0.05)
            await anyio.sleep(6)
            oracle.stop = True
        stats = kernel.plugin_stats("cache")
        assert oracle.stale == []
        assert oracle.counts["writes"] > 100
        assert stats["hits"] > 1000, "nothing was cached, so nothing was tested"
        assert stats["overtaken"] + stats["bypassed"] > 0, "no read ever met a write"
        assert stats["pending"] == 0
        await at_rest(kernel)


async def test_toggles_of_the_cache_under_50_clients(dsn: str) -> None:
    async with Kernel.of({CachePlugin: {}, PoolPlugin: {"url": dsn}}) as kernel:
        oracle = await load(kernel, 3)
        before = len(asyncio.all_tasks())
        hits = 0.0
        async with anyio.create_task_group() as tasks:
            for _ in range(46):
                tasks.start_soon(oracle.read, 0.02)
            for _ in range(4):
                tasks.start_soon(oracle.write, 0.05)
            for _ in some(range(100), 2):
                with anyio.move_on_after(0.3):
                    while kernel.plugin_stats("cache")["hits"] < 50:  # noqa: ASYNC110  # counters have no event
                        await anyio.sleep(0.005)
                hits += kernel.plugin_stats("cache")["hits"]
                await kernel.disable("cache")
                await anyio.sleep(0.005)
                await kernel.enable("cache")
            oracle.stop = True
        assert oracle.stale == []
        assert oracle.counts["writes"] > 50
        assert hits > 1000, "nothing was cached, so nothing was tested"
        with anyio.fail_after(10):  # the cache that has just begun asks the catalog
            while kernel.plugin_stats("pool")["lent"]:  # noqa: ASYNC110  # as above
                await anyio.sleep(0.01)
        assert len(asyncio.all_tasks()) <= before
        await at_rest(kernel)
    connection = await asyncpg.connect(dsn)
    left = await connection.fetchval("select count(*) from pg_stat_activity where application_name like 'galvo%'")
    await connection.close()
    assert left == 0


async def load(kernel: Kernel, rows: int) -> Oracle:
    await kernel.execute(SCHEMA.format(rows=rows))
    return Oracle(kernel, rows)


async def at_rest(kernel: Kernel) -> None:
    """With nobody writing, every cached answer equals the database's."""
    kernel.find_capability("cache").verify = 1.0
    for row in (0, 1, 2) * 2:
        await kernel.fetchval(ONE, row)
    stats = kernel.plugin_stats("cache")
    assert stats["wrong"] == 0
    assert stats["verified"] >= 3
