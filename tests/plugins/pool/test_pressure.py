"""When memory is short, idle connections above the least size go, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from galvo import Freed, Kernel, Level, MemoryPressure
from galvo_pool import PoolPlugin, create_pool, pressure
from galvo_pool.pressure import client_bytes
from tests.plugins.pool.heard import PID, until

pytestmark = pytest.mark.anyio
SOME = "select $1::int"


@asynccontextmanager
async def opened(dsn: str, connections: int = 4, **settings: Any) -> AsyncIterator[tuple[Kernel, Any]]:
    """A kernel whose pool has so many idle connections."""
    settings = {"min_size": 1, "max_size": 6, **settings}
    async with Kernel.of({PoolPlugin: {"url": dsn, **settings}}) as kernel:
        pool = kernel.find_capability("pool")._pool()
        await fill(kernel, connections)
        yield kernel, pool


async def fill(kernel: Kernel, connections: int) -> None:
    await asyncio.gather(*(kernel.fetch("select pg_sleep(0.05)") for _ in range(connections)))


async def relieve(kernel: Kernel, level: Level) -> Freed:
    return await kernel.relieve(MemoryPressure(level))


def rested(pool: Any, seconds: float) -> None:
    """All have been idle for so long."""
    for holder in pool._holders:
        holder.idle_since = pool._loop.time() - seconds


@pytest.mark.parametrize(
    "level, seconds, left",
    [
        (Level.NORMAL, 60, 4), (Level.ELEVATED, 5, 4), (Level.ELEVATED, 11, 2), (Level.HIGH, 0.5, 4),
        (Level.HIGH, 2, 2), (Level.CRITICAL, 0, 2),
    ],
)  # fmt: skip
async def test_what_is_idle_goes_down_to_the_least_size(dsn: str, level: Level, seconds: float, left: int) -> None:
    async with opened(dsn, min_size=2) as (kernel, pool):
        rested(pool, seconds)
        limit = pool._queue.limit
        freed = await relieve(kernel, level)
        assert (pool.get_size(), pool._queue.limit, pool._queue.out) == (left, limit, 0)
        assert freed.what == ("" if left == 4 else "2 idle connections")
        await fill(kernel, 6)
        assert pool.get_size() == 6, "and they come back when they are needed"


async def test_those_that_are_lent_and_those_that_run_are_left_alone(dsn: str) -> None:
    async with opened(dsn, connections=5) as (kernel, pool), kernel.transaction() as lent:
        pid = await lent.fetchval(PID)
        running = asyncio.create_task(kernel.fetchval("select 7 from pg_sleep(0.3)"))
        await until(lambda: pool._queue.out == 2)
        freed = await relieve(kernel, Level.CRITICAL)
        assert freed.what == "3 idle connections"
        assert pool.get_size() == 2
        assert await lent.fetchval(PID) == pid
        assert await running == 7


async def test_nothing_goes_while_somebody_waits_for_a_connection(dsn: str) -> None:
    async with opened(dsn, connections=3, max_size=3) as (kernel, pool):
        queue = pool._queue
        queue.limit = 1
        first = asyncio.create_task(kernel.fetchval("select 1 from pg_sleep(0.3)"))
        await until(lambda: queue.busy == 1)
        second = asyncio.create_task(kernel.fetchval("select 2"))
        await until(lambda: bool(queue.waiters))
        assert (await relieve(kernel, Level.CRITICAL)).bytes == 0
        assert (pool.get_size(), queue.limit) == (3, 1)
        assert [await first, await second] == [1, 2]


async def test_closing_them_is_no_loss(dsn: str) -> None:
    """Else the cache would doubt what it keeps."""
    async with opened(dsn) as (kernel, _):
        await relieve(kernel, Level.CRITICAL)
        assert kernel.plugin_stats("pool")["lost"] == 0


async def test_a_server_that_does_not_answer_holds_nobody_up(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pressure, "PATIENCE", 0.05)
    async with opened(dsn) as (kernel, pool):
        for holder in pool._holders:
            if holder.is_connected():
                holder._con._transport.pause_reading()  # its goodbye is never heard
        assert (await relieve(kernel, Level.CRITICAL)).what == "3 idle connections"
        await until(lambda: pool.get_size() <= 1)
        for holder in pool._holders:
            if holder.is_connected():
                holder._con._transport.resume_reading()
        assert await kernel.fetchval(SOME, 1, timeout=5) == 1


async def test_a_cancelled_one_gives_its_places_back(dsn: str) -> None:
    async with opened(dsn) as (kernel, pool):
        task = asyncio.create_task(relieve(kernel, Level.CRITICAL))
        await until(lambda: pool._queue.out > 0 or task.done())
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: pool._queue.out == 0)
        await fill(kernel, 6)
        assert pool.get_size() == 6


async def test_connections_that_end_just_then_give_their_places_back(dsn: str) -> None:
    async with opened(dsn) as (kernel, pool):
        ends = [holder._con.terminate for holder in pool._holders if holder.is_connected()]
        task = asyncio.create_task(relieve(kernel, Level.CRITICAL))
        await until(lambda: pool._queue.out > 0 or task.done())
        for end in ends:
            end()
        await task
        await until(lambda: pool._queue.out == 0)  # another one is being opened, perhaps
        await fill(kernel, 6)
        assert pool.get_size() == 6


async def test_the_application_s_own_pool(dsn: str) -> None:
    kernel = Kernel.of({PoolPlugin: {}})
    async with create_pool(dsn, kernel=kernel, min_size=1, max_size=4) as pool:
        await asyncio.gather(*(pool.fetch("select pg_sleep(0.05)") for _ in range(4)))
        assert (await relieve(kernel, Level.CRITICAL)).what == "3 idle connections"
        assert pool.get_size() == 1


@pytest.mark.parametrize("statements", [0, 20])
async def test_a_connection_takes_at_least_what_is_said(dsn: str, statements: int) -> None:
    """And not half as much again, unless it holds the rest of a large answer."""
    tracemalloc.start(1)
    try:
        before = held()
        connections = [await asyncpg.connect(dsn) for _ in range(10)]
        for connection in connections:
            for number in range(statements):
                await connection.fetch(f"select {number}, $1::int", number)
        said, really = sum(map(client_bytes, connections)), held() - before
        for connection in connections:
            await connection.close()
    finally:
        tracemalloc.stop()
    assert said <= really <= 1.5 * said


def held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
