"""A fault needs a bystander."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.plugins.pool.faults.load import TABLE
from tests.plugins.pool.faults.own import Own


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection, past every fault; the table of the load is there."""
    con = await asyncpg.connect(dsn)
    await con.execute(TABLE)
    yield con
    await con.close()


@pytest.fixture
def own(folder: Path) -> Iterator[Own]:
    made = Own(folder)
    yield made
    made.close()
