"""The connection of a command: to a URL, or to the database of the pool by the working directory's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from galvo import GalvoError
from galvo.only import only


@asynccontextmanager
async def connected(url: str = "") -> AsyncIterator[asyncpg.Connection]:
    """Closed at the end. Raises GalvoError in one sentence, without the password, when it cannot be opened."""
    if not url:
        async with only("pool") as pool:
            connection = await pool.connect()
            try:
                yield connection
            finally:
                await connection.close()
        return
    try:
        connection = await asyncpg.connect(url, server_settings={"application_name": "galvo index"})
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise GalvoError(f"cannot connect to the database: {_sentence(error)}") from None
    try:
        yield connection
    finally:
        await connection.close()


def _sentence(error: BaseException) -> str:
    """A ValueError quotes pieces of the URL."""
    return "the URL cannot be read" if isinstance(error, ValueError) else str(error) or type(error).__name__
