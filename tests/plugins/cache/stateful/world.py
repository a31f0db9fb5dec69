"""One event loop, one database: a kernel with sessions, and a plain connection that knows the truth."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg

from galvo import Kernel, Level, MemoryPressure, Plugin, Proceed, Query, Rows, Session, hookimpl
from galvo.session import Lease
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.cache.stateful.vocabulary import DECLARED, RESET, Ask, Order

T = TypeVar("T")
SESSIONS = 3
LOCK_TIMEOUT = "20ms"
FRESH = itertools.count()
UNKNOWN = frozenset(
    {
        "LockNotAvailableError",
        "SerializationError",
        "DeadlockDetectedError",
        "InvalidCachedStatementError",
        "InvalidSQLStatementNameError",
    }
)
"""Errors of the moment, or of asyncpg (after DISCARD ALL): they say nothing about what the answer is."""


class World:
    """What outlives one example."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.loop = asyncio.new_event_loop()
        self.counts: Counter[str] = Counter()
        self.admin: asyncpg.Connection = self.run(asyncpg.connect(dsn))
        self.checker: asyncpg.Connection = self.run(
            asyncpg.connect(dsn, statement_cache_size=0, server_settings={"lock_timeout": LOCK_TIMEOUT})
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, 10))  # rather a failure than a hang

    def close(self) -> None:
        self.run(self.checker.close())
        self.run(self.admin.close())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()


class LingerPlugin(Plugin):
    """Between cache and pool: lets queries that run at once overtake each other."""

    name = "linger"
    provides = ("linger",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.seen = 0
        self.held: list[bool] = []
        """Whether the next queries in sessions wait until they are let go, one after the other."""
        self.go = asyncio.Event()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.seen += 1
        if query.kind == "rows" and query.session is not None and self.held and self.held.pop(0):
            await self.go.wait()
        return await proceed(query)


class Shop:
    """One example: a fresh schema and a fresh kernel."""

    def __init__(self, world: World, **declared: dict[str, list[str]]) -> None:
        """`declared`: settings of the cache other than usual."""
        self.world = world
        self._declared = DECLARED | declared
        self.counts = world.counts
        self.cached = True
        self.hits = 0
        self.sessions: list[Session] = []
        self._leases: list[Lease] = []
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self.kernel: Kernel
        self.linger: LingerPlugin

    async def open(self) -> None:
        await self.world.admin.execute(RESET)
        self._life = asyncio.create_task(self._live())
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if self._life.done():
            waiting.cancel()
            self._life.result()
        for _ in range(SESSIONS):
            await self._lend()

    async def _live(self) -> None:
        """A kernel is entered and left by one task."""
        kernel = Kernel.of(
            {
                CachePlugin: {"ttl": 600, **self._declared},
                LingerPlugin: {},
                PoolPlugin: {
                    "url": self.world.dsn,
                    "min_size": 1,
                    "max_size": SESSIONS + 4,
                    "server_settings": {"lock_timeout": LOCK_TIMEOUT, "client_min_messages": "error"},
                },
            }
        )
        async with kernel:
            self.kernel = kernel
            self.linger = kernel.find_capability("linger")
            self._ready.set()
            await self._over.wait()

    async def close(self) -> None:
        self.count_hits()
        for lease in self._leases:
            await lease.__aexit__(None, None, None)
        self._over.set()
        await self._life

    def count_hits(self) -> None:
        self.hits += (hits := int(self.kernel.plugin_stats("cache").get("hits", 0)))
        self.counts["hits"] += hits

    async def _lend(self, place: int | None = None) -> None:
        lease = self.kernel.acquire()
        session = await lease.__aenter__()
        if place is None:
            self._leases.append(lease)
            self.sessions.append(session)
        else:
            self._leases[place], self.sessions[place] = lease, session

    async def replace_session(self, place: int) -> None:
        """End one, in a transaction or not, and lend another."""
        await self._leases[place].__aexit__(None, None, None)
        await self._lend(place)

    async def switch(self) -> None:
        """Turn the cache off, or on."""
        if self.cached:
            self.count_hits()
            await self.kernel.disable("cache")
        else:
            await self.kernel.enable("cache")
        self.cached = not self.cached

    async def squeeze(self, level: Level) -> None:
        await self.kernel.relieve(MemoryPressure(level))

    # -- doing ----------------------------------------------------------------------------------------

    async def do(self, who: Kernel | Session, order: Order) -> str:
        """Run a write; gives its error's name, or nothing."""
        try:
            if order.many:
                await who.executemany(order.sql, order.many)
            elif order.args or order.rows:
                await who.fetch(order.sql, *order.args)
            else:
                await who.execute(order.sql)
        except asyncpg.PostgresError as error:
            self.counts["failed"] += 1
            return type(error).__name__
        except asyncpg.InterfaceError as error:
            return type(error).__name__
        self.counts["done"] += 1
        return ""

    async def race(self, asks: list[Ask], who: Kernel | Session, order: Order, head: int) -> None:
        """Reads that are under way while a write begins and ends; what they answer is nobody's business."""
        reads = [asyncio.create_task(self.answer(ask)) for ask in asks]
        for _ in range(head):
            await asyncio.sleep(0)
        writing = asyncio.create_task(self.do(who, order))
        for _ in range(head):
            await asyncio.sleep(0)
        reads += [asyncio.create_task(self.answer(ask)) for ask in asks]
        await asyncio.gather(writing, *reads)

    async def share(self, session: Session, order: Order, asks: list[Ask], held: list[bool]) -> None:
        """Two tasks use one session at once, and others read the same without it. Whoever comes second may fail.

        Of the session's reads those that are `held` reach the connection after the order.
        """

        async def ordered() -> None:
            await self.do(session, order)
            self.linger.held = []
            self.linger.go.set()

        if self.cached:
            self.kernel.find_capability("cache").clear()  # a hit overtakes nobody
        self.linger.held, self.linger.go = list(held), asyncio.Event()
        reads = [asyncio.create_task(outcome(self.read(session, ask))) for ask in asks]
        await asyncio.sleep(0)
        reads += [asyncio.create_task(self.answer(ask)) for ask in asks]
        await asyncio.gather(ordered(), *reads, *[outcome(self.read(session, ask)) for ask in asks])

    async def cancel(self, ask: Ask, after: int) -> None:
        """Cancel a read, which others may have joined, `after` so many turns of the loop."""
        reads = [asyncio.create_task(self.answer(ask)) for _ in range(3)]
        for _ in range(after):
            await asyncio.sleep(0)
        reads[0].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reads[0]
        await asyncio.gather(*reads[1:])

    # -- asking ---------------------------------------------------------------------------------------

    async def answer(self, ask: Ask) -> str:
        """Of the kernel."""
        return await outcome(self.computed(ask) if ask.computed else self.read(self.kernel, ask))

    async def computed(self, ask: Ask) -> list[Any]:
        async def load() -> list[Any]:
            return await self.read(self.kernel, ask)

        return await self.kernel.cached(f"{ask.sql} {ask.args}", load, depends_on=("item", "maker"))

    async def truth(self, ask: Ask) -> str:
        # An unnamed statement of asyncpg keeps its locks until the next one: ROLLBACK ends it.
        await self.world.checker.execute("begin")
        try:
            return await outcome(self.read(self.world.checker, ask))
        finally:
            await self.world.checker.execute("rollback")

    async def read(self, who: Any, ask: Ask) -> list[Any]:
        if ask.one:
            row = await who.fetchrow(ask.sql, *ask.args)
            return [] if row is None else [tuple(row.items())]
        return [tuple(row.items()) for row in await who.fetch(ask.sql, *ask.args)]

    async def check(self, ask: Ask) -> str:
        """What is wrong with the kernel's answer, if anything."""
        got, true = await self.answer(ask), await self.truth(ask)
        if true in UNKNOWN or (got in UNKNOWN and not self.cached):
            self.counts["unknown"] += 1
            return ""
        self.counts["checks"] += 1
        return "" if got == true else self.wrong(f"{ask}: got {got}, is {true}")

    async def check_session(self, session: Session, ask: Ask) -> str:
        """The same of a session's answer, which its own connection knows. A savepoint keeps the transaction alive.

        The truth is prepared afresh, as one would be that had always been in this state, and takes back what it writes.
        """
        seen = self.linger.seen
        if session.pin is None:
            got, true = await outcome(self.read(session, ask)), await self.truth(ask)
        else:
            got, true = await self._both(session, session.pin.connection, ask)  # type: ignore[attr-defined]
        if true in UNKNOWN or got in UNKNOWN or not self.cached:  # without a cache asyncpg keeps what it prepared
            self.counts["unknown"] += 1
            return ""
        self.counts["session_checks"] += 1
        self.counts["session_hits"] += self.cached and seen == self.linger.seen
        return "" if got == true else self.wrong(f"in a session, {ask}: got {got}, is {true}")

    def wrong(self, what: str) -> str:
        self.counts["wrong"] += 1
        return what

    async def _both(self, session: Session, raw: Any, ask: Ask) -> tuple[str, str]:
        fresh = ask._replace(sql=f"/* {next(FRESH)} */ {ask.sql}")
        guarded = session.in_transaction and not await outcome(raw.fetch("savepoint probe"), plain=True)
        got = await outcome(self.read(session, ask))
        if session.in_transaction and not guarded:
            return got, await outcome(self.read(raw, fresh))
        await raw.execute("rollback to probe" if guarded else "begin")
        true = await outcome(self.read(raw, fresh))
        await raw.execute("rollback to probe; release probe" if guarded else "rollback")
        return got, true


async def outcome(reading: Coroutine[Any, Any, list[Any]], *, plain: bool = False) -> str:
    """The rows as a multiset, or the error's name. `plain`: nothing but the error's name."""
    try:
        rows = await reading
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return type(error).__name__
    return "" if plain else repr(sorted(map(repr, rows)))
