"""The connection of a command: to a URL, or to the database of the pool by the working directory's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from galvo import GalvoError
from galvo.operating import only

Connect = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a connection, which the caller closes; raises GalvoError in one sentence, without the password."""


@asynccontextmanager
async def connected(url: str = "") -> AsyncIterator[asyncpg.Connection]:
    """Closed at the end. Raises GalvoError in one sentence, without the password, when it cannot be opened."""
    async with connecting(url) as connect:
        connection = await connect()
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def connecting(url: str = "") -> AsyncIterator[Connect]:
    """For who needs more than one connection."""
    if not url:
        async with only("pool") as pool:
            yield pool.connect
        return

    async def connect() -> asyncpg.Connection:
        try:
            return await asyncpg.connect(url, server_settings={"application_name": "galvo index"})
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise GalvoError(f"cannot connect to the database: {_sentence(error)}") from None

    yield connect


def _sentence(error: BaseException) -> str:
    """A ValueError quotes pieces of the URL."""
    return "the URL cannot be read" if isinstance(error, ValueError) else str(error) or type(error).__name__
