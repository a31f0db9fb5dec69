"""Nothing is lent, lost or left behind: what must be true of a pool that nobody uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from galvo_pool import Pool
from tests.plugins.pool.faults.variants import NAME


async def until(true: Callable[[], Awaitable[bool]]) -> bool:
    """Wait for what happens by itself; False when it does not."""
    for _ in range(1000):
        if await true():
            return True
        await asyncio.sleep(0.01)
    return False


async def backends(other: asyncpg.Connection) -> int:
    sql = """select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
             and (application_name = $1 or application_name = 'left behind')"""
    return int(await other.fetchval(sql, NAME))


async def whole(pool: Pool, other: asyncpg.Connection) -> None:
    async def equal() -> bool:
        return await backends(other) == pool.get_size() and pool.get_idle_size() == pool.get_size()

    assert await until(equal), (await backends(other), pool.get_size(), pool.get_idle_size())
    assert len(pool._queue.waiters) == 0
    assert pool._queue.out == 0
    assert pool._queue.qsize() == pool.get_max_size()
    assert not pool._background
    async with asyncio.timeout(30):
        clean = [await pool.fetchval("select current_setting('application_name')") for _ in range(pool.get_max_size())]
    assert set(clean) == {NAME}
    locks = "select count(*) from pg_locks where locktype = 'advisory'"
    assert await other.fetchval(locks) == 0
    idle = "select count(*) from pg_stat_activity where state like 'idle in%' and datname = current_database()"
    assert await other.fetchval(idle) == 0
