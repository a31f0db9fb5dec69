"""A table, and servers of a test's own that it may kill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from galvo_embedded import Servers
from tests.conftest import until_released
from tests.plugins.index.apply.kills import make_table


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """To a database with the table `item`."""
    connection = await asyncpg.connect(dsn)
    await make_table(connection)
    yield connection
    await connection.close()


@pytest.fixture
def own_servers(folder: Path) -> Iterator[Servers]:
    made = Servers(folder, options={"fsync": "off"})
    yield made
    made.close()
    until_released(folder)


@pytest.fixture
async def own_url(own_servers: Servers) -> str:
    return await own_servers.postgres()


@pytest.fixture
async def own_connection(own_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Left alone when the server was killed."""
    connection = await asyncpg.connect(own_url)
    await make_table(connection)
    yield connection
    connection.terminate()
