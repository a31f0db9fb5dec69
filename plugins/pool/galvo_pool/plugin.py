"""The innermost layer of `on_query`: takes a connection, runs the query, gives the connection back."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import anyio
import asyncpg

from galvo import Context, KernelClosed, Metric, Plugin, PluginError, Proceed, Query, Rows, Session, hookimpl
from galvo.session import Pin
from galvo_pool.connection import finish, open_one, run_to_the_end
from galvo_pool.failures import connect_failure
from galvo_pool.fleet import Fleet
from galvo_pool.holder import Holder
from galvo_pool.hosting import POOL
from galvo_pool.lend import RUNNING, Lend, LentSession
from galvo_pool.pinned import Pinned
from galvo_pool.pool import Pool
from galvo_pool.replicas import Replicas
from galvo_pool.settings import PoolSettings

UNREACHABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What connecting raises when it fails."""
DURATION = Metric("db.client.operation.duration", "histogram", "s")
FIRST = (0.005, 0.025)
PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Seconds between attempts to open a connection after one was lost."""


class PoolPlugin(Plugin):
    """Runs SQL on an asyncpg pool; a session keeps one connection from its first query to its end."""

    name = "pool"
    after = ("embedded",)
    provides = ("pool",)
    settings_type = PoolSettings

    def __init__(self, settings: PoolSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._pool: Callable[[], Pool | None] = lambda: None
        self._url = ""
        self._queries = 0
        self._unkept = 0
        self._tells: Any = None
        self._replicas: Replicas | None = None
        self._fleet = Fleet(
            self._changed, self._doubted, timeout=settings.connect_timeout, log=logging.getLogger("galvo.pool")
        )

    @property
    def hosted(self) -> bool:
        """The pool is the application's own."""
        return self.context.capability(POOL) is not None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        cache = self.context.capability("cache")
        if cache is not None:
            self._tells = cache.traces
            self._fleet.depend_on(cache.session_settings)
        # A hosted pool is not kept in this frame: it is to be collected when the application has dropped it.
        own = None if self.hosted else await self._open()
        if own is None:
            await self._join()
        try:
            await self._follow()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._recover)
                if self._replicas is not None:
                    tasks.start_soon(self._replicas.watch)
                yield
                tasks.cancel_scope.cancel()
        finally:
            if self._replicas is not None:
                await finish(self._replicas.close())
            if own is not None:
                await finish(own.close())

    async def _open(self) -> Pool:
        self._url = url = self._settings.url.get_secret_value() or await self._embedded()
        pool = Pool(url, **self._settings.of_pool(), **self._options())
        pool.chained = True
        self._serve(pool)
        self._pool = lambda: pool
        try:
            await pool
        except UNREACHABLE as error:
            raise self._unreachable(error) from _cause(error)
        return pool

    async def _follow(self) -> None:
        """Open pools of the standbys, none of which has to be there."""
        if not self._settings.replicas:
            return
        options = {**self._settings.of_pool(), **self._options(), "min_size": 0}
        pools = [Pool(url.get_secret_value(), **options) for url in self._settings.replicas]
        self._replicas = Replicas(self._joined, pools, self._settings.max_lag)
        await self._replicas.open()

    async def _join(self) -> None:
        """Run statements on the application's pool. It opens it, and closes it when this has stopped."""
        self._pool = self.context.capability(POOL)
        pool = self._joined
        await pool.expire_connections()  # an older plugin's have told it, and not this one, what they lead to
        self._serve(pool)

    def _serve(self, pool: Pool) -> None:
        pool.fleet = self._fleet
        pool.traceless = self._tells.traceless if self._tells is not None else None
        pool.pin = self._pin

    @property
    def _joined(self) -> Pool:
        """Raises PluginError while there is none."""
        pool = self._pool()
        if pool is None:
            raise PluginError(self.name, "has no pool any more: the application has dropped it")
        return pool

    async def _recover(self) -> None:
        """Find out what happened when a connection was lost, also while nobody asks the database anything."""
        while True:
            await self._fleet.doubt.wait()
            await anyio.sleep(random.uniform(*FIRST))  # noqa: S311  # other processes have lost theirs, too
            pause = PAUSE
            while self._fleet.doubt.is_set():
                try:
                    await open_one(self._joined)
                except Exception as error:  # noqa: BLE001  # whoever asks the database is told, and this is tried again
                    self.context.log.debug("cannot open a connection: %s", type(error).__name__)
                if self._fleet.doubt.is_set():
                    await anyio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)

    def _options(self) -> dict[str, Any]:
        """What every connection gets."""
        return {
            "timeout": self._settings.connect_timeout,
            "command_timeout": self._settings.command_timeout,
            "server_settings": {"application_name": "galvo", **self._settings.server_settings},
        }

    def _unreachable(self, error: BaseException) -> PluginError:
        return PluginError(self.name, connect_failure(self._url, error))

    async def connect(self) -> asyncpg.Connection:
        """A connection of its own, outside of the pool and of the chain, to the same database and with the same
        settings; the caller closes it. Raises PluginError, in one sentence without the password.
        """
        pool = self._pool()
        if pool is None:
            raise PluginError(self.name, "is not started: ask for a connection while the kernel runs")
        try:
            return await asyncpg.connect(*pool._connect_args, **pool._connect_kwargs)
        except UNREACHABLE as error:
            raise self._unreachable(error) from _cause(error)

    def pids(self) -> frozenset[int]:
        """The process ids that the pool's open connections have on the server."""
        pool = self._pool()
        connections: Iterable[Any] = (holder._con for holder in pool._holders) if pool else ()
        return frozenset(
            connection.get_server_pid()
            for connection in connections
            if connection is not None and not connection.is_closed()
        )

    async def _embedded(self) -> str:
        servers = self.context.capability("servers")
        if servers is None:
            raise PluginError(
                self.name,
                "no database: set GALVO_POOL__URL=postgresql://..., or GALVO_EMBEDDED__ON=true",
            )
        return str(await servers.postgres())

    # -- what the cache must know ---------------------------------------------------------------------

    @property
    def identity(self) -> str:
        """The same in all processes whose pools lead to the same place under the same settings; "": not known."""
        return self._fleet.identity.hex() if self._fleet.identity else ""

    def settled(self) -> None:
        """No query runs on an older pool any more, which may have led to another database."""
        self._changed()
        self._doubted(self._fleet.doubt.is_set())

    def meet(self, cache: Any) -> None:
        """From now on `cache` keeps answers, and tells which statements leave a trace in a session."""
        self._tells = cache.traces
        if pool := self._pool():
            pool.traceless = cache.traces.traceless
        self._fleet.depend_on(cache.session_settings)
        if self._fleet.doubt.is_set():
            cache.suspend()

    def part(self, cache: Any) -> None:
        """`cache` ends."""
        if self._tells is cache.traces:
            self._tells = None
            if pool := self._pool():
                pool.traceless = None

    def _changed(self) -> None:
        if cache := self._cache():
            cache.reset()

    def _doubted(self, doubt: bool) -> None:
        if cache := self._cache():
            (cache.suspend if doubt else cache.resume)()

    def _cache(self) -> Any:
        """The cache that keeps this pool's answers; None while another pool answers."""
        return self.context.capability("cache") if self.context.capability("pool") is self else None

    # -- queries --------------------------------------------------------------------------------------

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.kind == "value":
            unkept = self._unkept
            rows = await proceed(query)
            return rows if unkept == self._unkept else self.unkept(rows)  # it may be made of such
        began = perf_counter()
        session = query.session
        if session is not None:
            rows = await (session.pin or await self._attach(session)).run(query)
        elif self._replicas is None:
            rows = await self._run_once(query)
        else:
            rows = await self._run_somewhere(self._replicas, query)
        self.context.record(DURATION, perf_counter() - began)
        return rows

    async def _run_somewhere(self, replicas: Replicas, query: Query) -> Rows:
        if query.kind == "rows" and not query.origin and self._tells is not None and self._tells.anywhere(query):
            replica = replicas.choose(query)
            rows = await replicas.read(replica, query) if replica is not None else None
            if rows is not None:
                return rows
        return await self._run_once(query)

    async def _run_once(self, query: Query) -> Rows:
        holder = await self.take(RUNNING, own=bool(query.origin))
        raw: Any = holder._con
        self._queries += 1
        if not holder.dirty:
            holder.dirty = self.leaves_trace(query)
        known = not holder.unknown and not self._joined.differs(holder)
        began, minded = perf_counter(), self.minds(holder, query)
        try:
            rows = await run_to_the_end(raw, query, minded=minded)
            self.ended(query)
        except BaseException:
            self.ended(query)
            if not holder.give():
                giving = self._joined.spawn(self.give(holder, raw))
                if minded:
                    await finish(giving)
            raise
        self.timed(query.sql, perf_counter() - began)
        rows = self.kept(holder, rows) if known else self.unkept(rows)
        if not holder.give():
            await self.give(holder, raw)
        return rows

    async def _attach(self, session: Session) -> Pin:
        if isinstance(session, LentSession):
            return self._pin(session)
        holder = await self.take(Lend(self._joined._loop.time(), None))
        pin = Pinned(self, holder, holder._con)
        if session.pin is None and not session.closed:
            session.pin = pin
            return pin
        await pin.release()  # two tasks began to use one session at once
        if session.pin is None:
            raise KernelClosed("this session has ended: use it inside its `async with` only")
        return session.pin

    def _pin(self, session: LentSession) -> Pin:
        if session.closed:
            raise asyncpg.InterfaceError("the connection was released before this statement reached it")
        session.pin = pin = Pinned(self, session.holder, session.connection, lent=True)
        return pin

    async def take(self, lend: Any, *, own: bool = False) -> Holder:
        """A connection. Raises TimeoutError when none becomes free within `acquire_timeout`."""
        pool = self._joined
        while True:
            holder = pool.take() or await pool.wait(pool.options.acquire_timeout, own=own)
            holder._in_use = lend
            life = holder.life
            if life.identity == self._fleet.identity or self._fleet.admits(life):
                return holder
            holder._con.terminate()

    async def give(self, holder: Holder, raw: Any) -> None:
        """Back to the pool: a cancelled statement is waited for, then the connection is reset.

        asyncpg does this in a task of its own, so that a cancelled reset finishes. That task costs a seventh of a short
        query; here a cancelled reset closes its connection, and the next one opens.
        """
        if holder._con is raw and holder._in_use is not None:
            holder._in_use = RUNNING
            raw._pool_release_ctr += 1
            if not holder.give():
                await holder.release(None)

    def minds(self, holder: Holder, query: Query, *, lent: bool = False) -> bool:
        """Whether it matters how a statement ends that was cancelled: it may have written.

        `lent`: whoever runs it expects asyncpg's ways, and waits for that only if the cache must know.
        """
        if self._tells is None:
            return not lent
        return holder.dirty or not self._tells.only_reads(query)

    def leaves_trace(self, query: Query) -> bool:
        """Whether a statement may change the state of the session that runs it; asked after the cache has seen it."""
        return self._tells is None or not self._tells.traceless(query)

    def timed(self, sql: str, seconds: float) -> None:
        """What a statement took on the wire."""
        if (pool := self._pool()) and pool.load is not None:
            pool.load.record(sql, seconds)

    def ended(self, query: Query) -> None:
        """A statement has ended, in whatever way."""
        if self._replicas is not None and (self._tells is None or not self._tells.only_reads(query)):
            self._replicas.wrote()

    def count(self) -> None:
        self._queries += 1

    def kept(self, holder: Holder, rows: Rows) -> Rows:
        """What a connection has answered, marked if it is not to be kept."""
        return rows if holder.life.identity == self._fleet.identity else self.unkept(rows)

    def unkept(self, rows: Rows) -> Rows:
        self._unkept += 1
        return Rows(rows.records, rows.status, keep=False)

    def stats(self) -> dict[str, float]:
        pool = self._pool()
        if pool is None:
            return {}
        return {
            "queries": self._queries,
            "lent": sum(holder._in_use is not None for holder in pool._holders),
            "size": pool.get_size(),
            "limit": pool._queue.limit,
            "waiting": len(pool._queue.waiters),
            "waits": pool.waits,
            "waited_seconds": pool.waited,
            "connect_failures": pool.gate.failures,
            "leaks": pool.housekeeping.leaks,
            "replica_answers": self._replicas.answers if self._replicas else 0,
            "lost": self._fleet.losses,
            "identities": self._fleet.changes,
            "unkept": self._unkept,
        }


def _cause(error: BaseException) -> BaseException | None:
    """A ValueError quotes pieces of the URL, so it must not be in the traceback either."""
    return None if isinstance(error, ValueError) else error
