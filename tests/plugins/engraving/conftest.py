from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from galvo_engraving import schema
from galvo_engraving.load import load

SCALE = 0.05


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def con(dsn: str) -> AsyncIterator[Any]:
    """A connection to an empty database."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def shop(con: Any, dsn: str) -> str:
    """The DSN of a loaded database."""
    await load(con, SCALE, seed=1)
    return dsn


Checksum = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
def checksum() -> Checksum:
    return _checksum


async def _checksum(con: Any, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Of each table, whatever the order of its rows; `without` these columns."""
    result = {}
    for table in schema.TABLES:
        rows = await con.fetch(f"select to_jsonb(t) - $1::text[] from engraving.{table} t", list(without))
        result[table] = sha256("\n".join(sorted(row[0] for row in rows)).encode()).hexdigest()
    return result
