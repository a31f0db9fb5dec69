"""The server with contrib and HypoPG: one per run, a fresh database per test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import asyncpg
import pytest

from tests.plugins.index import debian

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def debian_server_dsn() -> Iterator[str]:
    """The maintenance database; pg_stat_statements is loaded."""
    with debian.server() as dsn:
        yield dsn


@pytest.fixture
def debian_dsn(debian_server_dsn: str) -> Iterator[str]:
    """A fresh database with HypoPG; its user is a superuser."""
    name = f"test_{next(NUMBERS)}"
    dsn = debian_server_dsn.replace("/postgres?", f"/{name}?")
    asyncio.run(_execute(debian_server_dsn, f"create database {name}"))
    asyncio.run(_execute(dsn, "create extension hypopg"))
    yield dsn
    asyncio.run(_execute(debian_server_dsn, f"drop database {name} with (force)"))


async def _execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
