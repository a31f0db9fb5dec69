"""A pool that ends, or runs dry, while it is used."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import backends, until, whole

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("variant", VARIANTS)]


async def gone(other: asyncpg.Connection) -> bool:
    return await backends(other) == 0


async def test_nested_acquire_at_size_one(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    async with pooled(dsn, variant, max_size=1) as pool:
        async with pool.acquire() as con:
            with pytest.raises(TimeoutError, match=rf"they are with {__file__}:\d+ in test_nested_acquire"):
                await pool.acquire(timeout=0.05)
            assert await con.fetchval("select 7") == 7
        await whole(pool, other)


async def test_closed_while_others_wait(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    """Each of them gets a connection or hears that there is none; nobody waits for ever."""
    pool = await pooled(dsn, variant, max_size=1)
    con = await pool.acquire()
    waiting = [asyncio.create_task(pool.fetchval("select 1")) for _ in range(5)]
    lent = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    with pytest.raises(asyncpg.InterfaceError, match="closing"):
        await pool.fetchval("select 1")
    await con.execute("select 1")
    await pool.release(con)
    _, hung = await asyncio.wait([*waiting, closing], timeout=20)
    assert not hung
    for task in waiting:
        assert task.exception() is None or isinstance(task.exception(), asyncpg.InterfaceError), task.exception()
    for outcome in await asyncio.gather(*lent, return_exceptions=True):
        if not isinstance(outcome, asyncpg.InterfaceError):
            assert not isinstance(outcome, BaseException), outcome
            await pool.release(outcome)
    assert closing.exception() is None
    assert await until(lambda: gone(other))
    with pytest.raises(asyncpg.InterfaceError, match="closed"):
        await pool.fetchval("select 1")


async def test_released_twice(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    async with pooled(dsn, variant, max_size=1) as pool:
        con = await pool.acquire()
        await pool.release(con)
        await pool.release(con)
        async with pool.acquire() as another:
            await pool.release(con)  # it is not theirs any more
            with pytest.raises(asyncpg.InterfaceError, match="released"):
                await con.fetchval("select 1")
            assert await another.fetchval("select 1") == 1
            await asyncio.gather(pool.release(another), pool.release(another))
        await whole(pool, other)


async def test_terminated_with_lent_connections(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    pool = await pooled(dsn, variant, max_size=2)
    con, idle = await pool.acquire(), await pool.acquire()
    running = asyncio.create_task(con.execute("select pg_sleep(60)"))
    waiting = asyncio.create_task(pool.fetchval("select 1"))
    await until(lambda: other.fetchval("select exists(select from pg_stat_activity where query ~ '^select pg_sleep')"))
    pool.terminate()
    done, hung = await asyncio.wait([running, waiting], timeout=20)
    assert not hung
    for task in done:
        assert isinstance(task.exception(), asyncpg.InterfaceError | asyncpg.PostgresError), task.exception()
    for lent in (con, idle):
        with pytest.raises(asyncpg.InterfaceError):
            await lent.execute("select 1")
    await other.execute("select pg_cancel_backend(pid) from pg_stat_activity where query ~ '^select pg_sleep'")
    assert await until(lambda: gone(other))
    await asyncio.sleep(0.05)
