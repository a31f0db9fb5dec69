"""A database whose writes galvo's cache does not see: the other processes are told of each before it is answered."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from galvo import KernelClosed, NoBackend
from galvo_engraving.database import Database, Queries

T = TypeVar("T")
WRITES = re.compile(r"\b(?:insert|update|delete|merge|truncate|copy|call|do|create|alter|drop)\b", re.IGNORECASE)
"""Rather a word too many: to tell for nothing costs a round trip."""


class Told:
    """A `Database`: `db`, and `tell` after whatever may have written."""

    def __init__(self, db: Database, tell: Callable[[], Awaitable[None]]) -> None:
        self._db = db
        self._tell = tell

    async def fetch(self, query: str, /, *args: Any) -> list[Any]:
        async with self._telling(query):
            return await self._db.fetch(query, *args)

    async def fetchrow(self, query: str, /, *args: Any) -> Any:
        async with self._telling(query):
            return await self._db.fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        async with self._telling(query):
            return await self._db.fetchval(query, *args)

    async def execute(self, query: str, /, *args: Any) -> str:
        async with self._telling(query):
            return await self._db.execute(query, *args)

    async def executemany(self, query: str, args: Iterable[Any], /) -> None:
        async with self._telling(query):
            await self._db.executemany(query, args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        async with self._telling("update"), self._db.transaction() as tx:
            yield tx

    async def cached(
        self, key: str, load: Callable[[], Awaitable[T]], *, depends_on: Iterable[str] = (), ttl: float | None = None
    ) -> T:
        return await self._db.cached(key, load, depends_on=depends_on, ttl=ttl)

    @asynccontextmanager
    async def _telling(self, query: str) -> AsyncIterator[None]:
        if not WRITES.search(query):
            yield
            return
        try:
            yield
        except (NoBackend, KernelClosed):  # it was not sent
            raise
        except BaseException:  # it may have been done all the same
            await self._tell()
            raise
        await self._tell()
