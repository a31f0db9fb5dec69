"""The fixture itself."""

from __future__ import annotations

import asyncpg
import pytest

pytestmark = pytest.mark.anyio


async def test_a_fresh_database_has_hypopg_and_the_server_pg_stat_statements(debian_dsn: str) -> None:
    connection = await asyncpg.connect(debian_dsn)
    try:
        await connection.execute("create extension pg_stat_statements; create table t (a int)")
        await connection.fetch("select * from hypopg_create_index('create index on t (a)')")
        assert await connection.fetchval("select count(*) from pg_stat_statements") > 0
    finally:
        await connection.close()
