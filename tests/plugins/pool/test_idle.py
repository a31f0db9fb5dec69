"""A connection that was idle for long is asked whether it still answers, before it is lent."""

from __future__ import annotations

import asyncpg
import pytest

from galvo_pool import create_pool

pytestmark = pytest.mark.anyio
PID = "select pg_backend_pid()"


async def test_it_answers_and_is_lent_again(dsn: str) -> None:
    async with create_pool(dsn, kernel=None, min_size=1, max_size=1, check_after_idle=0) as pool:
        assert len({await pool.fetchval(PID) for _ in range(5)}) == 1
        async with pool.acquire() as connection:
            await connection.execute("create temp table made (n int)")
        async with pool.acquire() as connection:
            assert await connection.fetchval("select 1") == 1


async def test_it_does_not_and_another_takes_its_place(dsn: str) -> None:
    other = await asyncpg.connect(dsn)
    try:
        async with create_pool(dsn, kernel=None, min_size=1, max_size=1, check_after_idle=0) as pool:
            pid = await pool.fetchval(PID)
            await other.execute("select pg_terminate_backend($1, 10000)", pid)
            assert await pool.fetchval(PID) != pid
    finally:
        await other.close()
