"""Nothing may be left after any of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import anyio
import asyncpg
import pytest


@pytest.fixture(autouse=True)
async def nothing_is_left(server_dsn: str, dsn: str) -> AsyncIterator[None]:
    """No task, and no connection to this test's database."""
    before = asyncio.all_tasks()
    yield
    for _ in range(1500):
        left = {task for task in asyncio.all_tasks() - before if "TestRunner" not in str(task)}
        if not left:
            break
        await anyio.sleep(0.01)
    assert not left, left
    name = dsn.split("/")[3].split("?")[0]
    server = await asyncpg.connect(server_dsn)
    try:
        sql = "select count(*) from pg_stat_activity where datname = $1"
        for _ in range(200):
            if not (open_now := await server.fetchval(sql, name)):
                break
            await anyio.sleep(0.01)
        assert open_now == 0
    finally:
        await server.close()
