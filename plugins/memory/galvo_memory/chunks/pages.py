"""Page after page by a key, for whoever takes long with each: nothing is open between two.

Where a page ends is asked of the server before the page, as text that the server itself reads again: a key that went
through Python may come back as another (asyncpg sends date(9999, 12, 31) as infinity). A page is what lies between two
such edges by the server's comparison, so rows that come or go between the two statements move no edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from galvo_memory.chunks.errors import KeysetUnusable
from galvo_memory.chunks.line import Line, Lines


class Pages:
    """Batches; a connection is taken for each."""

    def __init__(self, lines: Lines, sql: str, args: tuple[Any, ...], keys: Sequence[str]) -> None:
        self._lines = lines
        self._args = args
        self._keys = keys
        self._from = f"from (\n{sql.strip().rstrip(';')}\n) as page"
        self._columns = [f"page.{_quoted(key)}" for key in keys]
        self._types: list[str] = []
        self._last: tuple[str, ...] = ()
        self._ended = False

    async def next(self, rows: int) -> list[Any]:
        """At most so many rows; none at the end. Raises KeysetUnusable."""
        size = 1 << rows.bit_length() - 1  # few different statements, as each is prepared
        found: list[Any] = []
        async with self._lines() as line:
            if not self._types:
                await self._learn(line)
            while not found and not self._ended:
                edge = await self._edge(line, size)
                found = await self._between(line, edge, size + 1)
                if len(found) > size:  # some came after the edge was found
                    found = []
                else:
                    self._last, self._ended = edge, not edge
        return found

    async def _learn(self, line: Line) -> None:
        """The types of the keys, and that none is null."""
        nulls = " or ".join(f"exists(select {self._from} where {column} is null)" for column in self._columns)
        types = ", ".join(  # with -1, as `character` would mean character(1)
            f"format_type(pg_typeof((select {column} {self._from} limit 0)), -1)" for column in self._columns
        )
        [[found, *self._types]] = await self._fetch(line, f"select {nulls}, {types}", self._args)
        if found:
            raise KeysetUnusable(
                f"{_shown(self._keys)} is null in some rows, which no page by it would show: "
                "choose columns that are never null for keyset, or leave those rows out"
            )

    async def _edge(self, line: Line, size: int) -> tuple[str, ...]:
        """The key of the row that is `size` rows on; none when there are fewer."""
        keys = [f"edge.k{number}" for number in range(len(self._keys))]
        named = ", ".join(f"{column} as k{number}" for number, column in enumerate(self._columns))
        again = ", ".join(f"{key}::text::{type}" for key, type in zip(keys, self._types, strict=True))
        following = ", ".join(f"lead({key}) over following" for key in keys)
        order = ", ".join(keys)
        two = f"select {named} {self._from} {self._where(())} order by {', '.join(self._columns)} limit 2"
        source = f"from ({two} offset {size - 1}) as edge window following as (order by {order})"
        texts = ", ".join(f"{key}::text" for key in keys)
        found = await self._fetch(
            line,
            f"select ({order}) = ({again}), ({order}) = ({following}), {texts} {source} order by {order} limit 1",
            (*self._args, *self._last),
        )
        if not found:
            return ()
        [[exact, tied, *edge]] = found
        if tied:
            raise KeysetUnusable(
                f"several rows have {_shown(self._keys)} = {_shown(edge)}, and a page that ends between them would "
                "lose some: add a column to keyset that tells them apart, the primary key for example"
            )
        if not exact:
            raise KeysetUnusable(
                f"{_shown(self._keys)} = {_shown(edge)} is another value when the server reads it again, and pages "
                f"by it would lose rows: choose columns of other types than {_shown(self._types)} for keyset"
            )
        return tuple(edge)

    async def _between(self, line: Line, edge: tuple[str, ...], most: int) -> list[Any]:
        """What comes after the last edge, and not after this."""
        return await self._fetch(
            line,
            f"select * {self._from} {self._where(edge)} order by {', '.join(self._columns)} limit {most}",
            (*self._args, *self._last, *edge),
        )

    def _where(self, edge: tuple[str, ...]) -> str:
        parts, number = [], len(self._args)
        for operator, key in ((">", self._last), ("<=", edge)):
            if key:
                values = [f"${number + at}::text::{type}" for at, type in enumerate(self._types, 1)]
                parts.append(f"({', '.join(self._columns)}) {operator} ({', '.join(values)})")
                number += len(key)
        return f"where {' and '.join(parts)}" if parts else ""

    async def _fetch(self, line: Line, sql: str, args: tuple[Any, ...]) -> list[Any]:
        found: list[Any] = await line.drive(sql, args, lambda connection: connection.fetch(sql, *args))
        return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names)
