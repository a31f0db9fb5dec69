"""Rows, a batch at a time: from a cursor on the server, or page after page by a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import anyio

from galvo_memory.chunks.errors import KeysetUnusable
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


class Pages:
    """No transaction between two pages, and no connection: for whoever takes long with each."""

    def __init__(self, lines: Lines, sql: str, args: tuple[Any, ...], keys: Sequence[str]) -> None:
        self._lines = lines
        self._args = args
        self._keys = keys
        self._from = f"from (\n{sql.strip().rstrip(';')}\n) as page"
        self._columns = ", ".join(f"page.{_quoted(key)}" for key in keys)
        self._last: tuple[Any, ...] = ()
        self._checked = False

    async def next(self, rows: int) -> list[Any]:
        if not self._checked:
            await self._refuse_nulls()
        args = (*self._args, *self._last)
        after = ", ".join(f"${number}" for number in range(len(self._args) + 1, len(args) + 1))
        where = f"where ({self._columns}) > ({after})" if after else ""
        size = 1 << rows.bit_length() - 1  # few different statements, as each is prepared
        sql = f"select * {self._from} {where} order by {self._columns} limit {size + 1}"  # quoted
        found = await self._fetch(sql, args)
        page = found[:size]
        if page:
            self._next_after(page[-1], found[size:])
        return page

    def _next_after(self, row: Any, following: list[Any]) -> None:
        last = self._key(row)
        if _same(last, self._last) or any(_same(last, self._key(other)) for other in following):
            raise KeysetUnusable(
                f"several rows have {_shown(self._keys)} = {_shown(map(repr, last))}, and a page that ends between "
                "them would lose some: add a column to keyset that tells them apart, the primary key for example"
            )
        self._last = last

    def _key(self, row: Any) -> tuple[Any, ...]:
        return tuple(row[key] for key in self._keys)

    async def _refuse_nulls(self) -> None:
        checks = " or ".join(f"exists(select {self._from} where page.{_quoted(key)} is null)" for key in self._keys)
        [[found]] = await self._fetch(f"select {checks}", self._args)
        if found:
            raise KeysetUnusable(
                f"{_shown(self._keys)} is null in some rows, which no page by it would show: "
                "choose columns that are never null for keyset, or leave those rows out"
            )
        self._checked = True

    async def _fetch(self, sql: str, args: tuple[Any, ...]) -> list[Any]:
        async with self._lines() as line:
            found: list[Any] = await line.drive(sql, args, lambda connection: connection.fetch(sql, *args))
            return found


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """As the server sees it: there NaN equals itself."""
    return len(one) == len(other) and all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(names: Any) -> str:
    return ", ".join(names)
