"""A writer outside of galvo, and what a listener and the statistics make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg

from galvo_cache.external import Listener, triggers
from galvo_cache.external.installed import find, tree


@asynccontextmanager
async def connected(dsn: str, **options: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, **options)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def oid(connection: asyncpg.Connection, name: str) -> int:
    return int(await connection.fetchval("select $1::text::regclass::oid::int8", name))


async def watch(connection: asyncpg.Connection, *names: str) -> None:
    """What `galvo cache watch` does."""
    tables = await tree(connection, [await find(connection, name) for name in names])
    made = [triggers.watch(table.name, table.kind) for table in tables]
    await connection.execute(triggers.script([triggers.INSTALL, *made]))


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  # it is the server's, and has no event
            await anyio.sleep(0.002)


class Ear:
    """A running listener and what it told."""

    def __init__(self, dsn: str, connection: asyncpg.Connection, **options: Any) -> None:
        self.told: list[int] = []
        self.doubts: list[bool] = []
        self.opened: list[asyncpg.Connection] = []
        self._dsn = dsn
        self._connection = connection
        self.listener = Listener(self.connect, self.told.append, self._doubt, **{"retry": 0.01, **options})

    async def connect(self) -> asyncpg.Connection:
        self.opened.append(await asyncpg.connect(self._dsn))
        return self.opened[-1]

    def _doubt(self) -> None:
        self.doubts.append(self.listener.listening)

    async def heard(self) -> Counter[str]:
        """Names of the tables that were told of since the last call, with how often."""
        # They come in the order of the commits: with this one, all that were sent before it have come.
        ignored = self.listener.ignored
        await self._connection.execute("notify galvo_write, 'the end'")
        await until(lambda: self.listener.ignored > ignored)
        told, self.told[:] = list(self.told), []
        sql = "select $1::int8::oid::regclass::text"
        return Counter([await self._connection.fetchval(sql, table) for table in told])


@asynccontextmanager
async def listening(dsn: str, **options: Any) -> AsyncIterator[tuple[Ear, asyncpg.Connection]]:
    """A listener that listens, and an outside connection."""
    async with connected(dsn) as connection, anyio.create_task_group() as tasks:
        ear = Ear(dsn, connection, **options)
        tasks.start_soon(ear.listener.run)
        await until(lambda: ear.listener.listening)
        try:
            yield ear, connection
        except Exception as error:  # as itself, not in the task group's own exception
            failure = error
        else:
            failure = None
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
