"""One filled database for all tests that create nothing, which advice is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.conftest import execute
from tests.plugins.index.advise.shop import SCHEMA


@pytest.fixture(scope="session")
def shop_dsn(debian_server_dsn: str) -> Iterator[str]:
    """With HypoPG, vacuumed and analysed."""
    dsn = debian_server_dsn.replace("/postgres?", "/shop?")
    asyncio.run(execute(debian_server_dsn, "create database shop"))
    asyncio.run(execute(dsn, f"create extension hypopg; {SCHEMA}"))
    asyncio.run(execute(dsn, "vacuum (analyze)"))
    yield dsn
    asyncio.run(execute(debian_server_dsn, "drop database shop with (force)"))


@pytest.fixture(scope="session")
def plain_shop_dsn(server_dsn: str) -> Iterator[str]:
    """The same on the embedded server, which has no HypoPG."""
    name = f"shop_{os.getpid()}"
    dsn = server_dsn.replace("/postgres?", f"/{name}?")
    asyncio.run(execute(server_dsn, f"create database {name}"))
    asyncio.run(execute(dsn, SCHEMA))
    asyncio.run(execute(dsn, "vacuum (analyze)"))
    yield dsn
    asyncio.run(execute(server_dsn, f"drop database {name} with (force)"))


@pytest.fixture
async def shop(shop_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(shop_dsn)
    yield connection
    await connection.close()
