"""All indexes of all sets at once; a set is what is left in a transaction that drops the others and is rolled back.

So every set meets the very same pages and statistics, and nothing is built twice.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from galvo_bench.index.sets import IndexSet, plain

PREFIX = "galvo_bench_"


class Built(msgspec.Struct, frozen=True):
    name: str
    bytes: int
    seconds: float
    """That CREATE INDEX took."""


class Union:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.built: dict[str, Built] = {}
        """By `plain` text."""
        self._connection = connection

    async def build(self, sets: Iterable[IndexSet], each: Callable[[str], object] = lambda _: None) -> None:
        """Create what is missing, then ANALYZE, as expressions need. `each` is told every index."""
        wanted = dict.fromkeys(plain(index) for chosen in sets for index in chosen.indexes)
        for text in wanted:
            if text not in self.built:
                each(text)
                self.built[text] = await self._create(text)
        await self._connection.execute("analyze")

    async def _create(self, text: str) -> Built:
        name = f"{PREFIX}{len(self.built)}"
        began = time.perf_counter()
        await self._connection.execute(f"create index {name} on {text}")
        seconds = time.perf_counter() - began
        size = await self._connection.fetchval("select pg_relation_size($1::text::regclass)", name)
        return Built(name, size, seconds)

    def size(self, chosen: IndexSet) -> int:
        """Bytes of its indexes."""
        return sum(self.built[index].bytes for index in {plain(index) for index in chosen.indexes})

    def seconds(self, chosen: IndexSet) -> float:
        """That creating its indexes took."""
        return sum(self.built[index].seconds for index in {plain(index) for index in chosen.indexes})

    def text(self, name: str) -> str | None:
        """What the index of that name is; None when it is not of this union."""
        return next((text for text, built in self.built.items() if built.name == name), None)

    @asynccontextmanager
    async def only(self, chosen: IndexSet) -> AsyncIterator[None]:
        """A transaction in which only the indexes of `chosen` are there; nothing of it lasts."""
        mine = {plain(index) for index in chosen.indexes}
        others = [built.name for text, built in self.built.items() if text not in mine]
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            if others:
                await self._connection.execute(f"drop index {', '.join(others)}")
            yield
        finally:
            await transaction.rollback()

    async def drop(self) -> None:
        """Drop all, also those of a run that was killed."""
        rows = await self._connection.fetch("select indexname from pg_indexes where indexname like $1", f"{PREFIX}%")
        if rows:
            await self._connection.execute(f"drop index {', '.join(row[0] for row in rows)}")
        self.built.clear()
