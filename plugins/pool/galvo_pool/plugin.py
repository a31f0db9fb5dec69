"""The innermost layer of `on_query`: takes a connection, runs the query, gives the connection back."""

from __future__ import annotations

import logging
import random
import weakref
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic, perf_counter
from typing import Any

import anyio
import asyncpg

from galvo import (
    Context,
    Finding,
    Freed,
    GalvoError,
    KernelClosed,
    MemoryPressure,
    Metric,
    Plugin,
    PluginError,
    PluginUnavailable,
    Proceed,
    Query,
    Rows,
    hookimpl,
)
from galvo.operating import Operations
from galvo_pool.advice.checkup import extensions, findings
from galvo_pool.advice.facts import look, sizes
from galvo_pool.advice.parsed import parsed
from galvo_pool.connection import finish, open_one
from galvo_pool.failures import connect_failure
from galvo_pool.fleet import Fleet
from galvo_pool.hosting import POOL
from galvo_pool.lend import Lend
from galvo_pool.metering import DURATION, PRIMARY, failed, metering
from galvo_pool.pool import Pool
from galvo_pool.pressure import relieve
from galvo_pool.replicas import Replicas
from galvo_pool.runner import Runner
from galvo_pool.settings import PoolSettings

UNREACHABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What connecting raises when it fails."""
ENDS = "is closing its connections and takes no more queries: it is being stopped or replaced, or has crashed"
ENDING = "this kernel is ending: its pool is closing its connections, and takes no more queries"
FIRST = (0.005, 0.025)
CLOSING = 2.0
"""Seconds until a connection that was asked something is dropped instead of closed."""
PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Seconds between attempts to open a connection after one was lost."""


class PoolPlugin(Plugin):
    """Runs SQL on an asyncpg pool; a session keeps one connection from its first query to its end."""

    name = "pool"
    api = ">=1.2,<2"
    after = ("embedded",)
    provides = ("pool",)
    settings_type = PoolSettings

    def __init__(self, settings: PoolSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._url = ""
        self._lost_at = float("-inf")
        self._fleet = Fleet(
            self._changed, self._doubted, timeout=settings.connect_timeout, log=logging.getLogger("galvo.pool")
        )
        self._runner = Runner(self._fleet, self._record)
        self._meterings = [metering(self._record, PRIMARY, self._pool)]

    def _record(self, metric: Metric, value: float) -> None:
        self.context.record(metric, value)

    @property
    def hosted(self) -> bool:
        """The pool is the application's own."""
        return self.context.capability(POOL) is not None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        cache = self.context.capability("cache")
        if cache is not None:
            self._runner.tells = cache.traces
            self._fleet.depend_on(cache.session_settings)
        # A hosted pool is not kept in this frame: it is to be collected when the application has dropped it.
        own = None if self.hosted else await self._open()
        if own is None:
            await self._join()
        try:
            await self._follow()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._recover)
                for each in self._meterings:
                    tasks.start_soon(each.run)
                if self._runner.replicas is not None:
                    tasks.start_soon(self._runner.replicas.watch)
                yield
                tasks.cancel_scope.cancel()
        finally:
            if self._runner.replicas is not None:
                await finish(self._runner.replicas.close())
            if own is not None:
                own._queue.refuse(self._refusal)  # else they meet closed connections
                await finish(own.close())

    def _refusal(self) -> GalvoError:
        control = self.context.control
        if isinstance(control, Operations) and control.ending:
            return KernelClosed(ENDING)
        return PluginUnavailable(self.name, ENDS)

    async def _open(self) -> Pool:
        self._url = url = self._settings.url.get_secret_value() or await self._embedded()
        pool = Pool(url, **self._settings.of_pool(), **self._options())
        pool.chained = True
        self._runner.serve(pool)
        self._runner.pool = lambda: pool
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
        for number, pool in enumerate(pools, 1):
            pool.meter.tell(self._record, name := f"replica {number}")
            self._meterings.append(metering(self._record, name, weakref.ref(pool)))
        self._runner.replicas = Replicas(self._runner.joined, pools, self._settings.max_lag)
        await self._runner.replicas.open()

    async def _join(self) -> None:
        """Run statements on the application's pool. It opens it, and closes it when this has stopped."""
        self._runner.pool = self.context.capability(POOL)
        pool = self._runner.joined
        await pool.expire_connections()  # an older plugin's have told it, and not this one, what they lead to
        self._runner.serve(pool)

    async def _recover(self) -> None:
        """Find out what happened when a connection was lost, also while nobody asks the database anything."""
        while True:
            await self._fleet.doubt.wait()
            await anyio.sleep(random.uniform(*FIRST))  # noqa: S311  # other processes have lost theirs, too
            pause = PAUSE
            while self._fleet.doubt.is_set():
                try:
                    await open_one(self._runner.joined)
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

    async def lend(self, run: Proceed) -> Any:
        """A connection of the pool, whose statements go to `run`; give it back with its pool's `release`.

        Raises TimeoutError when none becomes free within `acquire_timeout`.
        """
        lend = Lend(self._runner.joined._loop.time(), run)
        holder = await self._runner.take(lend)
        return holder.lend(lend) if holder._setup is None else await holder.set_up(lend)

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

    def _pool(self) -> Pool | None:
        """None before there is one, and when the application has dropped its own."""
        return self._runner.pool()

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
        self._runner.listen(cache.traces, self._pool())
        self._fleet.depend_on(cache.session_settings)
        if self._fleet.doubt.is_set():
            cache.suspend()

    def part(self, cache: Any) -> None:
        """`cache` ends."""
        if self._runner.tells is cache.traces:
            self._runner.listen(None, self._pool())

    def _changed(self) -> None:
        if cache := self._cache():
            cache.reset()

    def _doubted(self, doubt: bool) -> None:
        if doubt:
            now = monotonic()
            if now - self._lost_at < 1 and (pool := self._pool()):
                pool.gate.lost()  # several at once: the server has restarted, most likely
            self._lost_at = now
        if cache := self._cache():
            (cache.suspend if doubt else cache.resume)()

    def _cache(self) -> Any:
        """The cache that keeps this pool's answers; None while another pool answers."""
        return self.context.capability("cache") if self.context.capability("pool") is self else None

    # -- queries --------------------------------------------------------------------------------------

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.kind == "value":
            unkept = self._runner.unkept_answers
            rows = await proceed(query)
            return (
                rows if unkept == self._runner.unkept_answers else self._runner.unkept(rows)
            )  # it may be made of such
        began = perf_counter()
        try:
            rows = await self._runner.run(query)
        except Exception as error:  # who is cancelled has not failed
            self.context.record(failed(error), perf_counter() - began)
            raise
        self.context.record(DURATION, perf_counter() - began)
        return rows

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        pool, replicas = self._pool(), self._runner.replicas
        return await relieve([*([pool] if pool else []), *(replicas.pools if replicas else [])], pressure.level)

    # -- telling --------------------------------------------------------------------------------------

    async def checkup(self) -> list[Finding]:
        """The server's version, places, extensions and settings, asked on a connection of its own."""
        connection = await self.connect()
        try:
            version = connection.get_server_version()
            text = connection.get_settings().server_version
            facts = await look(connection, {} if self.hosted else sizes(self._settings))
            facts = replace(facts, sessions=[one for one in facts.sessions if one.pid not in self.pids()])
            told = [*findings((version.major, text), facts, await extensions(connection))]
        finally:
            await finish(connection.close(timeout=CLOSING))
        return told if self._runner.replicas is None else [*told, *await self._runner.replicas.checkup()]

    async def explain(self, query: Query) -> dict[str, Any] | None:
        """Where it would run, and what the server makes of it, which only parses it."""
        if query.kind != "rows":
            return None
        replicas = self._runner.replicas
        either = replicas is not None and self._runner.tells is not None and self._runner.tells.anywhere(query)
        told = {"runs_on": "a standby that is up to date, or the primary" if either else "the primary"}
        connection = await self.connect()
        try:
            return told | await parsed(connection, query.sql)
        finally:
            await finish(connection.close(timeout=CLOSING))

    def stats(self) -> dict[str, float]:
        runner, pool = self._runner, self._pool()
        if pool is None:
            return {}
        return {
            "queries": runner.queries,
            "lent": pool.lent,
            "size": pool.get_size(),
            "limit": pool._queue.limit,
            "waiting": len(pool._queue.waiters),
            "waits": pool.meter.waits,
            "waited_seconds": pool.meter.seconds,
            "timeouts": pool.meter.timeouts,
            "connect_failures": pool.gate.failures,
            "leaks": pool.housekeeping.leaks,
            "replica_answers": runner.replicas.answers if runner.replicas else 0,
            "lost": self._fleet.losses,
            "identities": self._fleet.changes,
            "unkept": runner.unkept_answers,
        }


def _cause(error: BaseException) -> BaseException | None:
    """A ValueError quotes pieces of the URL, so it must not be in the traceback either."""
    return None if isinstance(error, ValueError) else error
