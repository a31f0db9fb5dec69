"""A borrower that drops its connection instead of giving it back: it is reported, and reclaimed."""

from __future__ import annotations

import asyncio
import gc
import logging
import re

import asyncpg
import pytest

from galvo_pool.lend import RUNNING
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("variant", VARIANTS)]


async def test_it_is_reclaimed_and_reported(
    dsn: str, other: asyncpg.Connection, variant: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with pooled(dsn, variant, max_size=1) as pool:
        for state in ("select 1", "begin", "set search_path = nowhere", "select pg_advisory_lock(1)"):
            caplog.clear()
            con = await pool.acquire()
            pid = await con.fetchval("select pg_backend_pid()")
            await con.execute(state)
            with caplog.at_level(logging.WARNING, "galvo.pool"):
                del con
                gc.collect()
            line = re.search(r"taken at (.*):(\d+) in (\w+)", caplog.text)
            assert line is not None, caplog.text
            assert line[1] == __file__
            assert line[3] == "test_it_is_reclaimed_and_reported"
            async with asyncio.timeout(20), pool.acquire() as another:
                assert await another.fetchval("select pg_backend_pid()") == pid
                assert not another.is_in_transaction()
                assert await another.fetchval("select current_setting('search_path')") == '"$user", public'
        await whole(pool, other)


async def test_one_in_a_cycle(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    async with pooled(dsn, variant, max_size=1) as pool:
        cycle: list[object] = [await pool.acquire()]
        cycle.append(cycle)
        del cycle
        gc.collect()
        async with asyncio.timeout(20):
            assert await pool.fetchval("select 1") == 1
        await whole(pool, other)


async def test_a_release_that_nobody_awaits(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    """Its borrower is cancelled in the release and drops the connection; it is not forgotten, it is on its way."""
    async with pooled(dsn, variant, max_size=1) as pool:
        for turns in range(5):

            async def borrower() -> None:
                con = await pool.acquire()
                await con.execute("set search_path = nowhere")
                await pool.release(con)

            task = asyncio.create_task(borrower())
            holder = pool._holders[0]
            while holder._in_use is not RUNNING:  # noqa: ASYNC110  # nothing tells that it is being released
                await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            del task
            gc.collect()
            async with asyncio.timeout(20):
                assert await pool.fetchval("select current_setting('search_path')") == '"$user", public'
        await whole(pool, other)
