"""A pool that ends under running queries: those get their answers, all others one clear exception, before and after."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import Kernel, KernelClosed, PluginUnavailable
from galvo_pool import PoolPlugin
from tests.plugins.pool.heard import until

pytestmark = pytest.mark.anyio
HELD = "select pg_advisory_lock_shared(1), 'answered'"
HOLDING = "select count(*) from pg_locks where not granted and locktype = 'advisory'"


@pytest.mark.parametrize("max_waiting", [None, 0])
async def test_a_lifespan_that_crashes(dsn: str, monkeypatch: pytest.MonkeyPatch, max_waiting: int | None) -> None:
    crash = anyio.Event()

    async def recover(_: Any) -> None:
        await crash.wait()
        raise ZeroDivisionError("a background task of the pool")

    monkeypatch.setattr(PoolPlugin, "_recover", recover)
    settings = {"url": dsn, "min_size": 2, "max_size": 2, "max_waiting": max_waiting}
    other = await asyncpg.connect(dsn)
    await other.execute("select pg_advisory_lock(1)")
    async with Kernel.of({PoolPlugin: settings}) as kernel:
        try:
            plugin = kernel.find_capability("pool")
            queue, unit = plugin._pool()._queue, kernel.supervisor.units["pool"]
            runs = [asyncio.ensure_future(kernel.fetchval(HELD, column=1)) for _ in range(2)]
            while await other.fetchval(HOLDING) < 2:
                pass
            waits = [asyncio.ensure_future(kernel.fetch("select 1")) for _ in range(3 if max_waiting is None else 0)]
            await until(lambda: len(queue.waiters) == len(waits))
            crash.set()
            await until(plugin._pool().is_closing)
            told = await asyncio.gather(*waits, kernel.fetch("select 1"), return_exceptions=True)
            assert {type(error) for error in told} == {PluginUnavailable}, told
            with pytest.raises(PluginUnavailable, match="plugin 'pool': is closing its connections"):
                async with kernel.transaction():
                    await kernel.fetch("select 1")
        finally:
            await other.close()  # and its lock goes
        assert await asyncio.gather(*runs) == ["answered"] * 2
        await until(lambda: unit.state == "failed")
        with pytest.raises(PluginUnavailable, match="plugin 'pool': is required and is not running"):
            await kernel.fetch("select 1")
        await kernel.enable("pool")
        assert await kernel.fetchval("select 1") == 1


async def test_the_kernel_ends(dsn: str) -> None:
    other = await asyncpg.connect(dsn)
    await other.execute("select pg_advisory_lock(1)")
    try:
        async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 1}}, drain_timeout=0.01) as kernel:
            queue = kernel.find_capability("pool")._pool()._queue
            runs = asyncio.ensure_future(kernel.fetchval(HELD, column=1))
            while not await other.fetchval(HOLDING):
                pass
            waits = asyncio.ensure_future(kernel.fetch("select 1"))
            waits.add_done_callback(lambda _: other.terminate())  # and its lock goes
            await until(lambda: len(queue.waiters) == 1)
    finally:
        other.terminate()
    with pytest.raises(KernelClosed, match="this kernel is ending"):
        await waits
    assert await runs == "answered"
