"""What the proxy counts of PostgreSQL's protocol."""

from __future__ import annotations

import asyncpg
import pytest

from galvo_bench.counts.proxy import RESET, Counts, counted

pytestmark = pytest.mark.anyio


async def test_queries_are_counted_on_the_wire(server_dsn: str) -> None:
    counts = Counts()
    async with counted(server_dsn, counts) as url, asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        await pool.fetchval("select $1::int", 1)
        counts.clear()
        for number in range(10):
            assert await pool.fetchval("select $1::int", number) == number
        assert (counts["queries"], counts["resets"], counts["trips"]) == (10, 10, 20)
        assert counts["out"] > 10 * len(RESET), "bytes of the resets alone"
        assert counts["back"] > 10 * 4, "bytes of the answers alone"
        assert "connections" not in counts, "it was made before"
        counts.clear()
        async with pool.acquire() as con, con.transaction():
            await con.execute("set local work_mem = '5MB'")
        assert counts["queries"] == 3, "begin and commit are queries as well"
