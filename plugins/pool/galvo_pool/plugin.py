"""The innermost layer of `on_query`: takes a connection, runs the query, gives the connection back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import asyncpg

from galvo import Context, KernelClosed, Metric, Plugin, PluginError, Proceed, Query, Rows, Session, hookimpl
from galvo.session import Pin
from galvo_pool.connection import Connection, finish, literals_of, opened, run_to_the_end, settled
from galvo_pool.failures import connect_failure
from galvo_pool.settings import PoolSettings

UNREACHABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What connecting raises when it fails."""
DURATION = Metric("db.client.operation.duration", "histogram", "s")


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

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self._url = url = self._settings.url.get_secret_value() or await self._embedded()
        pool = asyncpg.create_pool(
            url,
            min_size=self._settings.min_size,
            max_size=self._settings.max_size,
            connection_class=Connection,
            **self._options(),
        )
        try:
            self._pool = await pool
        except UNREACHABLE as error:
            await opened()
            raise self._unreachable(error) from _cause(error)
        try:
            yield
        finally:
            await finish(self._pool.close())

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

    def settled(self) -> None:
        """No query runs on an older pool any more, which may have led to another database."""
        cache = self.context.capability("cache")
        if cache is not None:
            cache.reset()

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.kind == "value":
            return await proceed(query)
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
        return rows

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
            return await self._pool._acquire(self._settings.acquire_timeout if crowded else None)
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

    def stats(self) -> dict[str, float]:
        return {
            "queries": self._queries,
            "lent": self._lent,
            "size": self._pool.get_size() if self._pool else 0,
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
        # On a lost connection nothing but its error may answer.
        return bool(self._raw.is_closed() or self._raw.is_in_transaction())

    async def run(self, query: Query) -> Rows:
        self._plugin.count()
        return await run_to_the_end(self._connection, query, self._raw, lambda: settled(self._connection))

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
