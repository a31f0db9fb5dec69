"""Rows, a batch at a time, and those of a cursor on the server; `pages` has those by a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import anyio

from galvo_memory.chunks.line import Lines


class Batches(Protocol):
    async def next(self, rows: int) -> list[Any]:
        """At most so many rows; none at the end."""


class Cursor:
    """A portal on the server: one statement, one snapshot, one connection for as long as it takes."""

    def __init__(self, line: Any, sql: str, args: tuple[Any, ...], cursor: Any) -> None:
        self._line, self._sql, self._args, self._cursor = line, sql, args, cursor

    async def next(self, rows: int) -> list[Any]:
        found: list[Any] = await self._line.drive(self._sql, self._args, lambda _: self._cursor.fetch(rows))
        return found


@asynccontextmanager
async def cursor(lines: Lines, sql: str, args: tuple[Any, ...]) -> AsyncIterator[Cursor]:
    async with lines() as line:
        borrowed = line.borrowed
        async with line.snapshot():
            made = await line.drive(sql, args, lambda connection: connection.cursor(sql, *args))
            try:
                yield Cursor(line, sql, args, made)
            finally:
                if borrowed:  # the end of its own transaction would have closed it
                    with anyio.CancelScope(shield=True), suppress(Exception):  # after an error it cannot, nor need to
                        await line.drive(sql, args, lambda _: made._close_portal(None))
