"""One server on which everything is wrong, examined once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from galvo_index.health import Report, examine
from tests.conftest import reachable_folder
from tests.plugins.index.health.limits import LOW
from tests.plugins.index.health.planted import planted


@pytest.fixture(scope="session")
def ill() -> Iterator[Report]:
    with reachable_folder() as folder:

        async def look() -> Report:
            async with planted(folder) as dsn:
                connection = await asyncpg.connect(dsn)
                try:
                    return await examine(connection, limits=LOW)
                finally:
                    await connection.close()

        yield asyncio.run(look())
