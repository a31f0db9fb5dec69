"""The innermost layer of `on_query`: takes a connection, runs the query, gives the connection back."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import anyio
import asyncpg

from galvo import Context, KernelClosed, Metric, Plugin, PluginError, Proceed, Query, Rows, Session, hookimpl
from galvo.session import Pin
from galvo_pool.connection import Connection, finish, literals_of, open_one, opened, run, run_to_the_end, settled
from galvo_pool.failures import connect_failure
from galvo_pool.fleet import Fleet
from galvo_pool.settings import PoolSettings

UNREACHABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What connecting raises when it fails."""
DURATION = Metric("db.client.operation.duration", "histogram", "s")
PAUSE, LONGEST_PAUSE = 0.05, 1.0
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
        self._pool: Any = None
        self._url = ""
        self._lent = 0
        self._queries = 0
        self._unkept = 0
        self._fleet = Fleet(
            self._changed, self._doubted, timeout=settings.connect_timeout, log=logging.getLogger("galvo.pool")
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        cache = self.context.capability("cache")
        if cache is not None:
            self._fleet.depend_on(cache.session_settings)
        self._url = url = self._settings.url.get_secret_value() or await self._embedded()
        pool = asyncpg.create_pool(
            url,
            min_size=self._settings.min_size,
            max_size=self._settings.max_size,
            connection_class=Connection,
            init=self._fleet.enter,
            **self._options(),
        )
        try:
            self._pool = await pool
        except UNREACHABLE as error:
            await opened()
            raise self._unreachable(error) from _cause(error)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._recover)
                yield
                tasks.cancel_scope.cancel()
        finally:
            await finish(self._pool.close())

    async def _recover(self) -> None:
        """Find out what happened when a connection was lost, also while nobody asks the database anything."""
        while True:
            await self._fleet.doubt.wait()
            pause = PAUSE
            while self._fleet.doubt.is_set():
                try:
                    await open_one(self._pool)
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
        if self._pool is None:
            raise PluginError(self.name, "is not started: ask for a connection while the kernel runs")
        try:
            return await asyncpg.connect(self._url, **self._options())
        except UNREACHABLE as error:
            raise self._unreachable(error) from _cause(error)

    def pids(self) -> frozenset[int]:
        """The process ids that the pool's open connections have on the server."""
        connections = (holder._con for holder in self._pool._holders) if self._pool else ()
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
        """From now on `cache` keeps answers."""
        self._fleet.depend_on(cache.session_settings)
        if self._fleet.doubt.is_set():
            cache.suspend()

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
        else:
            rows = await self._run_once(query)
        self.context.record(DURATION, perf_counter() - began)
        return rows

    async def _run_once(self, query: Query) -> Rows:
        connection = await self.acquire()
        raw = connection._con
        self._queries += 1
        rows = await run_to_the_end(raw, query, raw, lambda: finish(self.release(connection)))
        await self.release(connection)
        return self.kept(raw, rows)

    async def _attach(self, session: Session) -> Pin:
        pin = Pinned(self, await self.acquire())
        if session.pin is None and not session.closed:
            session.pin = pin
            return pin
        await pin.release()  # two tasks began to use one session at once
        if session.pin is None:
            raise KernelClosed("this session has ended: use it inside its `async with` only")
        return session.pin

    async def acquire(self) -> Any:
        """A connection. Raises TimeoutError when none becomes free within `acquire_timeout`."""
        # A timer costs a tenth of a query, and with connections to spare there is nothing to wait for.
        crowded = self._lent >= self._settings.max_size
        self._lent += 1
        try:
            timeout = self._settings.acquire_timeout if crowded else None
            connection = await self._pool._acquire(timeout)
            while connection._con.identity != self._fleet.identity and not self._fleet.admits(connection._con):
                connection._con.terminate()
                connection = await self._pool._acquire(timeout)
            return connection
        except BaseException as error:
            self._lent -= 1
            if crowded and isinstance(error, TimeoutError):
                raise TimeoutError(
                    f"no connection became free within {self._settings.acquire_timeout:g} s: all "
                    f"{self._settings.max_size} are lent (max_size and acquire_timeout under [pool])"
                ) from None
            raise

    async def release(self, connection: Any) -> None:
        """Give a connection back: asyncpg waits for a cancelled statement to end, then resets it.

        `Pool.release` does the same in a task of its own, so that a cancelled reset finishes. That task costs a
        seventh of a short query; here a cancelled reset closes its connection, and the next one opens.
        """
        try:
            if connection._con is not None:
                connection._con._on_release()
                await connection._holder.release(None)
        finally:
            self._lent -= 1

    def count(self) -> None:
        self._queries += 1

    def kept(self, connection: Connection, rows: Rows) -> Rows:
        """What `connection` has answered, marked if it is not to be kept."""
        return rows if connection.identity == self._fleet.identity else self.unkept(rows)

    def unkept(self, rows: Rows) -> Rows:
        self._unkept += 1
        return Rows(rows.records, rows.status, keep=False)

    def stats(self) -> dict[str, float]:
        return {
            "queries": self._queries,
            "lent": self._lent,
            "size": self._pool.get_size() if self._pool else 0,
            "lost": self._fleet.losses,
            "identities": self._fleet.changes,
            "unkept": self._unkept,
        }


def _cause(error: BaseException) -> BaseException | None:
    """A ValueError quotes pieces of the URL, so it must not be in the traceback either."""
    return None if isinstance(error, ValueError) else error


class Pinned:
    """The connection behind a session."""

    __slots__ = ("_connection", "_forgets", "_literals", "_plugin", "_raw")

    def __init__(self, plugin: PoolPlugin, connection: Any) -> None:
        self._plugin = plugin
        self._connection = connection
        self._raw = connection._con
        self._forgets = False
        self._literals = literals_of(self._raw)

    @property
    def in_transaction(self) -> bool:
        return not self.lost and bool(self._raw.is_in_transaction())

    @property
    def lost(self) -> bool:
        return bool(self._raw.is_closed())

    async def run(self, query: Query) -> Rows:
        self._plugin.count()
        if self.lost:
            return await run(self._connection, query)  # raises: it is not even sent, so its outcome is not open
        rows = await run_to_the_end(self._connection, query, self._raw, lambda: settled(self._connection))
        return self._plugin.kept(self._raw, rows)

    def strayed(self) -> bool:
        before, self._literals = self._literals, literals_of(self._raw)
        return before != self._literals

    def forget_prepared(self) -> None:
        self._raw._drop_local_statement_cache()
        self._forgets = True

    async def release(self) -> None:
        if self._forgets:  # what the session has prepared must not be the next one's
            self._raw._drop_local_statement_cache()
        await finish(self._plugin.release(self._connection))
