"""galvo's kernel as long as its pool runs, and a plain asyncpg pool as long as it does not: requests notice nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg

from galvo import GalvoError, Kernel, KernelClosed, NoBackend
from galvo_engraving.database import ByKernel, Database, Plain, Queries
from galvo_engraving.serving.telling import Told

T = TypeVar("T")
log = logging.getLogger("galvo.engraving")
EVERYTHING = "do $$ begin end $$"
"""A statement that might have changed anything, by which all who share the cache forget what they keep."""
LARGEST = 10
"""Connections of the plain pool."""
LOOK = 1.0
"""Seconds between two looks whether the kernel's pool is back."""
PATIENCE = 10.0
"""Seconds in which transactions end that have begun on the kernel."""


class Spare:
    """A plain pool, closed when the last that it was given for has ended."""

    def __init__(self, pool: Any, tell: Callable[[], Awaitable[None]]) -> None:
        self.db: Database = Told(Plain(pool), tell)
        self.calls = 0
        self._pool = pool
        self._idle = asyncio.Event()

    def done(self) -> None:
        self.calls -= 1
        if not self.calls:
            self._idle.set()

    async def close(self) -> None:
        while self.calls:
            self._idle.clear()
            await self._idle.wait()
        await self._pool.close()


class Switched:
    """A `Database`. What is written while galvo does not see it must not be hidden by what its cache keeps: before
    the kernel answers again, and after what has outlasted that, everything kept is forgotten, also by others; and by
    those that share the cache after each write, as long as this process's pool or cache is off.
    """

    def __init__(self, kernel: Kernel, where: Callable[[], Awaitable[str]]) -> None:
        """`where` gives the URL of the database, which may change when settings are read again."""
        self.kernel = kernel
        self._where = where
        self._galvo: Database = ByKernel(kernel)
        self._others: Any = None
        """Who is told of writes that the cache does not see."""
        self._spare: Spare | None = None
        """Answers instead of the kernel."""
        self._returning = self._closed = False
        self.held = False
        """The kernel is not to be asked yet: its plugins change."""
        self._opening = asyncio.Lock()
        self._open = 0
        """Transactions on the kernel."""
        self._ended = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def plain(self) -> bool:
        return self._spare is not None

    # -- switching ------------------------------------------------------------------------------------

    async def leave(self) -> Spare:
        """From now on without the kernel. Raises GalvoError when the database is away; then nothing has changed."""
        async with self._opening:
            if self._closed:
                raise KernelClosed("the application has ended, and its database with it")
            if self._spare is None:
                self._spare = Spare(await _opened(await self._where()), self._tell)
                if self._others is None and (cache := self._cache) is not None:
                    self._others = cache.beside()
            return self._spare

    async def left(self) -> None:
        """No transaction that began on the kernel runs there any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._open:
                    self._ended.clear()
                    await self._ended.wait()

    async def back(self) -> None:
        """The kernel answers again, if it can."""
        async with self._opening:
            if self._spare is None or self.held or not self.running:
                return
            self._returning = True
            try:
                await self._forget()
                self._galvo = ByKernel(self.kernel)
                if self._cache is None and self._others is not None:
                    self._galvo = Told(self._galvo, self._tell)
                spare, self._spare = self._spare, None
            finally:
                self._returning = False
        task = asyncio.create_task(spare.close())  # it waits for what still runs there; nobody waits for it
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def follow(self) -> None:
        """Never ends: goes back to the kernel, whoever has started its pool."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self.back()
                if self._spare is None and self._cache is not None:
                    await self._part()
            except (GalvoError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("requests go on without galvo's pool: %s", error)

    @property
    def running(self) -> bool:
        return any(one["name"] == "pool" and one["state"] == "active" for one in self.kernel.plugins())

    async def close(self) -> None:
        """Whoever asks from now on, while the kernel ends, gets no plain pool."""
        async with self._opening:
            self._closed = True
        if self._spare is not None:
            await self._spare.close()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._part()

    @property
    def _cache(self) -> Any:
        return self.kernel.find_capability("cache")

    async def _tell(self) -> None:
        if self._others is not None:
            await self._others.tell()

    async def _part(self) -> None:
        """The cache sees all writes again."""
        others, self._others = self._others, None
        if others is not None:
            await others.close()

    async def _forget(self) -> None:
        await self.kernel.execute(EVERYTHING)

    @asynccontextmanager
    async def _beside(self, spare: Spare) -> AsyncIterator[Database]:
        """What is done there: if the kernel is back before it ends, that may have kept what was before."""
        spare.calls += 1
        try:
            yield spare.db
        finally:
            spare.done()
            if self._spare is not spare or self._returning:
                await self._forget()

    # -- Database -------------------------------------------------------------------------------------

    # A statement that nobody ran, for want of a pool, is run by the plain one.

    async def fetch(self, query: str, /, *args: Any) -> list[Any]:
        if self._spare is None:
            with suppress(NoBackend):
                return await self._galvo.fetch(query, *args)
        async with self._beside(self._spare or await self.leave()) as plain:
            found: list[Any] = await plain.fetch(query, *args)
            return found

    async def fetchrow(self, query: str, /, *args: Any) -> Any:
        if self._spare is None:
            with suppress(NoBackend):
                return await self._galvo.fetchrow(query, *args)
        async with self._beside(self._spare or await self.leave()) as plain:
            return await plain.fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        if self._spare is None:
            with suppress(NoBackend):
                return await self._galvo.fetchval(query, *args)
        async with self._beside(self._spare or await self.leave()) as plain:
            return await plain.fetchval(query, *args)

    async def execute(self, query: str, /, *args: Any) -> str:
        if self._spare is None:
            with suppress(NoBackend):
                return await self._galvo.execute(query, *args)
        async with self._beside(self._spare or await self.leave()) as plain:
            return str(await plain.execute(query, *args))

    async def executemany(self, query: str, args: Iterable[Any], /) -> None:
        runs = list(args)
        if self._spare is None:
            with suppress(NoBackend):
                await self._galvo.executemany(query, runs)
                return
        async with self._beside(self._spare or await self.leave()) as plain:
            await plain.executemany(query, runs)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        async with AsyncExitStack() as stack:
            yield await self._begun(stack)

    async def _begun(self, stack: AsyncExitStack) -> Queries:
        if (spare := self._spare) is None:
            self._open += 1
            stack.callback(self._end)
            try:
                return await stack.enter_async_context(self._galvo.transaction())
            except NoBackend:  # nothing has begun
                spare = await self.leave()
        plain = await stack.enter_async_context(self._beside(spare))
        return await stack.enter_async_context(plain.transaction())

    def _end(self) -> None:
        self._open -= 1
        self._ended.set()

    async def cached(
        self, key: str, load: Callable[[], Awaitable[T]], *, depends_on: Iterable[str] = (), ttl: float | None = None
    ) -> T:
        if self._spare is not None:
            return await load()
        return await self._galvo.cached(key, load, depends_on=depends_on, ttl=ttl)


async def _opened(url: str) -> Any:
    try:
        return await asyncpg.create_pool(url, min_size=1, max_size=LARGEST, timeout=10)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        why = str(error) or "no answer within 10 s"
        raise GalvoError(f"the database is away: {why.splitlines()[0]}") from None
