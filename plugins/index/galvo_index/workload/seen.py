"""The workload as completely as it is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from msgspec.structs import replace

from galvo import GalvoError
from galvo_index.database import Connect
from galvo_index.workload import stat_statements
from galvo_index.workload.statement import Statement


async def seen(connection: asyncpg.Connection, watched: Sequence[Statement]) -> Sequence[Statement]:
    """What all clients ran, by pg_stat_statements, with the arguments that this process has `watched`; without the
    extension, what this process has watched.
    """
    try:
        found = await stat_statements.read(connection)
    except GalvoError:
        return watched
    arguments = {statement.sql: statement.arguments for statement in watched}
    return [replace(statement, arguments=arguments.get(statement.sql, ())) for statement in found]


def source(
    connect: Connect, watched: Callable[[], Sequence[Statement]] = tuple
) -> Callable[[], Awaitable[Sequence[Statement]]]:
    """Gives what was `seen` until then, each time on a connection of its own."""

    async def ask() -> Sequence[Statement]:
        connection = await connect()
        try:
            return await seen(connection, watched())
        finally:
            await connection.close()

    return ask
