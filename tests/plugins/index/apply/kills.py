"""Connections that end at one chosen statement, and what has to be true after the next run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from galvo_index.apply.create_index import parsed
from galvo_index.apply.journal import PRESENT, Journal
from galvo_index.apply.limits import Limits
from galvo_index.apply.ours import find
from galvo_index.apply.wish import Wish

INDEX = "create index on item (lower(name)) where price > 5"
QUICK = Limits(pause=0.05, turn=20.0, transaction=60.0)
End = Callable[[asyncpg.Connection], Awaitable[None]]


def wishes(sql: str = INDEX) -> list[Wish]:
    return [Wish(definition) for definition in parsed(sql)]


async def make_table(connection: asyncpg.Connection, rows: int = 2000) -> None:
    await connection.execute(
        f"""
        create table item (id int primary key, name text, price int) with (autovacuum_enabled = off);
        insert into item select g, 'n' || g, g % 100 from generate_series(1, {rows}) g;
        create index galvo_theirs on item (name);
        comment on index galvo_theirs is 'galvo: not really [galvo 1 0000000000000000]';
        analyze item
        """
    )


class Steps:
    """Counts the statements that write; at number `at` it calls `end` before or `during` it."""

    def __init__(self, at: int = -1, *, during: bool = False, end: End | None = None) -> None:
        self.at, self.during, self.end = at, during, end
        self.seen: list[str] = []

    async def run(self, connection: asyncpg.Connection, sql: str, proceed: Callable[[], Awaitable[Any]]) -> Any:
        if sql.strip().lower().startswith(("select", "set", "reset", "show", "with")):
            return await proceed()
        self.seen.append(sql.strip())
        if len(self.seen) - 1 != self.at or self.end is None:
            return await proceed()
        if not self.during:
            await self.end(connection)
            return await proceed()
        running = asyncio.ensure_future(proceed())
        for _ in range(3):  # until it is sent
            await asyncio.sleep(0)
        await self.end(connection)
        return await running

    def connection_class(self) -> type[asyncpg.Connection]:
        steps = self

        class Counted(asyncpg.Connection):
            async def execute(self, query: str, *args: Any, **options: Any) -> str:
                execute = super().execute
                if args:
                    return await execute(query, *args, **options)
                return await steps.run(self, query, lambda: execute(query, **options))

            async def _execute(self, query: str, *args: Any, **options: Any) -> Any:
                execute = super()._execute
                return await steps.run(self, query, lambda: execute(query, *args, **options))

        return Counted

    async def connect(self, url: str) -> asyncpg.Connection:
        return await asyncpg.connect(url, connection_class=self.connection_class())


async def check(connection: asyncpg.Connection) -> None:
    """No INVALID index is left, every entry says what is there, and what others made is there."""
    indexes = {
        row["oid"]: (row["name"], row["valid"])
        for row in await connection.fetch(
            "select indexrelid as oid, relname as name, indisvalid and indisready and indislive as valid "
            "from pg_index join pg_class on oid = indexrelid where indrelid = 'item'::regclass"
        )
    }
    assert all(valid for _, valid in indexes.values()), indexes
    journalled = set()
    if await Journal(connection).exists():
        for entry in await Journal(connection).entries():
            assert entry.state in ("built", "judged", "dropped", "failed"), entry
            found = await find(connection, entry)
            assert (found is not None) == (entry.state in PRESENT), (entry, found)
            if found:
                assert (found.oid, found.name) == (entry.index_oid, entry.name)
                journalled.add(found.oid)
    assert {name for oid, (name, _) in indexes.items() if oid not in journalled} == {"item_pkey", "galvo_theirs"}
