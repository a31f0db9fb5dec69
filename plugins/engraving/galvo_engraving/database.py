"""What the application asks of its database: galvo's kernel answers it, and without galvo a plain asyncpg pool does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

from galvo import Kernel

T = TypeVar("T")


class Queries(Protocol):
    """A database, or a transaction in it."""

    async def fetch(self, query: str, /, *args: Any) -> list[Any]: ...
    async def fetchrow(self, query: str, /, *args: Any) -> Any: ...
    async def fetchval(self, query: str, /, *args: Any) -> Any: ...
    async def execute(self, query: str, /, *args: Any) -> str: ...
    async def executemany(self, query: str, args: Iterable[Any], /) -> None: ...


class Database(Queries, Protocol):
    def transaction(self) -> AbstractAsyncContextManager[Queries]:
        """All of it, or nothing."""

    async def cached(
        self, key: str, load: Callable[[], Awaitable[T]], *, depends_on: Iterable[str] = (), ttl: float | None = None
    ) -> T:
        """What `load` gives, kept until one of the tables it `depends_on` is written, `ttl` seconds at most.

        Nobody may change it.
        """


class ByKernel:
    """With galvo."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.fetch = kernel.fetch
        self.fetchrow = kernel.fetchrow
        self.fetchval = kernel.fetchval
        self.execute = kernel.execute
        self.executemany = kernel.executemany

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        async with self.kernel.acquire() as session, session.transaction():
            yield session

    async def cached(
        self, key: str, load: Callable[[], Awaitable[T]], *, depends_on: Iterable[str] = (), ttl: float | None = None
    ) -> T:
        return await self.kernel.cached(key, load, depends_on=depends_on, ttl=ttl, shared=True)


class Plain:
    """Without: an `asyncpg.Pool`, and everything is computed anew."""

    def __init__(self, pool: Any) -> None:
        self.fetch = pool.fetch
        self.fetchrow = pool.fetchrow
        self.fetchval = pool.fetchval
        self.execute = pool.execute
        self.executemany = pool.executemany
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection

    async def cached(
        self, key: str, load: Callable[[], Awaitable[T]], *, depends_on: Iterable[str] = (), ttl: float | None = None
    ) -> T:
        return await load()
