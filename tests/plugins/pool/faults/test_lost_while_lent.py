"""A connection that is lost, or given back, while a statement of its borrower is on its way."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from galvo import Kernel
from galvo_pool import PoolPlugin
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole
from tests.plugins.pool.gate import GatePlugin

pytestmark = pytest.mark.anyio
LATE = "insert into kept values (1) /* gate */"


@pytest.mark.parametrize("how", ["terminated", "released"])
async def test_a_statement_never_moves_to_the_next_borrower(dsn: str, other: asyncpg.Connection, how: str) -> None:
    kernel = Kernel.of({GatePlugin: {}, PoolPlugin: {}})
    async with pooled(dsn, kernel, max_size=1) as pool:
        gate = kernel.find_capability("gate")
        con = await pool.acquire()
        late = asyncio.create_task(con.execute(LATE))
        await gate.reached.wait()
        if how == "terminated":
            con.terminate()
        else:
            await pool.release(con)
        async with pool.acquire() as another, another.transaction():
            await another.execute("insert into kept values (2)")
            gate.open.set()
            with pytest.raises(asyncpg.InterfaceError):
                await late
            assert await another.fetchval("select array_agg(id) from kept") == [2]
        assert await other.fetchval("select array_agg(id) from kept") == [2]
        await whole(pool, other)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_a_connection_lost_while_it_is_released(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    """Its borrower has what it wanted, so it hears nothing of it."""
    async with pooled(dsn, variant, max_size=1) as pool:
        for turns in range(6):
            con = await pool.acquire()
            await con.execute("set search_path = nowhere")
            raw = con._con
            release = asyncio.create_task(pool.release(con))
            for _ in range(turns):
                await asyncio.sleep(0)
            raw.terminate()
            async with pool.acquire() as another:
                assert await another.fetchval("select 1") == 1
                outcome = (await asyncio.gather(release, return_exceptions=True))[0]
                assert not isinstance(outcome, asyncpg.InternalClientError), turns
                assert await another.fetchval("select 1") == 1
        await whole(pool, other)


async def test_who_has_the_last_connection_does_not_wait_for_another_one(dsn: str, other: asyncpg.Connection) -> None:
    """To read the catalog the cache needs a connection, and the borrowers have them all."""
    async with pooled(dsn, "cache and pool", max_size=1) as pool:
        for schema in ("create table a(id int)", "create table b(id int)"):
            await pool.execute(schema)  # and the catalog is out of date
            async with asyncio.timeout(20), pool.acquire() as con:
                await con.execute("insert into kept values (1)")
                assert await con.fetchval("select count(*) from kept") == await other.fetchval(
                    "select count(*) from kept"
                )
        await whole(pool, other)


async def test_a_statement_waits_for_a_connection_as_long_as_the_pool_says(dsn: str, other: asyncpg.Connection) -> None:
    async with pooled(dsn, "pool alone", max_size=1, acquire_timeout=0.05) as pool:
        async with pool.acquire():
            with pytest.raises(TimeoutError, match=r"within 0.05 s"):
                await pool.fetch("select 1")
        await whole(pool, other)
