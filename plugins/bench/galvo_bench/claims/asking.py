"""A database as the shop's workload uses it, that counts what the application reads through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from galvo_engraving.world import Database


class Asking:
    """What a transaction reads, on a connection that is taken, is not counted: no cache may answer it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.reads = 0

    async def fetch(self, query: str, /, *args: Any) -> Any:
        self.reads += 1
        return await self._db.fetch(query, *args)

    async def fetchrow(self, query: str, /, *args: Any) -> Any:
        self.reads += 1
        return await self._db.fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        self.reads += 1
        return await self._db.fetchval(query, *args)

    async def execute(self, query: str, /, *args: Any) -> str:
        return await self._db.execute(query, *args)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self._db.acquire() as connection:
            yield connection
