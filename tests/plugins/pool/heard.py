"""A plugin in the cache's place that notes what the pool tells it, and which answers it might keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl
from galvo_pool import PoolPlugin

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
PID = "select pg_backend_pid()"


class Wary:
    """Knows of no statement what it does."""

    def traceless(self, query: Query) -> bool:
        return False

    only_reads = anywhere = traceless


class HeardPlugin(Plugin):
    name = "heard"
    traces = Wary()
    provides = ("cache",)
    session_settings = ("TimeZone", "app.tenant")

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.told: list[str] = []
        self.keep: list[bool] = []
        self.suspended = False

    def settled(self) -> None:
        if pool := self.context.capability("pool"):
            pool.meet(self)

    def reset(self) -> None:
        self.told.append("reset")

    def suspend(self) -> None:
        self.told.append("suspend")
        self.suspended = True

    def resume(self) -> None:
        self.told.append("resume")
        self.suspended = False

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        self.keep.append(rows.keep)
        self.told.append(query.sql)
        return rows


class Heard:
    """A kernel of that plugin and a pool, and `other`, a plain connection."""

    def __init__(self, kernel: Kernel, other: asyncpg.Connection) -> None:
        self.kernel, self.other = kernel, other

    @property
    def plugin(self) -> HeardPlugin:
        found: HeardPlugin = self.kernel.find_capability("cache")
        return found

    @property
    def pool(self) -> PoolPlugin:
        found: PoolPlugin = self.kernel.find_capability("pool")
        return found

    def stat(self, name: str) -> float:
        return self.kernel.plugin_stats("pool")[name]

    async def set(self, setting: str, value: str) -> None:
        """For whoever connects from now on."""
        name = await self.other.fetchval("select quote_ident(current_database())")
        await self.other.execute(f"alter database {name} set {setting} = '{value}'")

    async def open(self, yes: bool, server_dsn: str) -> None:
        """Whether the server takes new connections to the database."""
        server = await asyncpg.connect(server_dsn)
        name = await self.other.fetchval("select quote_ident(current_database())")
        await server.execute(f"alter database {name} allow_connections {yes}")
        await server.close()

    async def end(self, pid: int) -> None:
        """An administrator ends one of the pool's connections; on return the pool knows."""
        before = self.stat("lost")
        await self.other.execute("select pg_terminate_backend($1, 10000)", pid)
        await until(lambda: self.stat("lost") > before)


@asynccontextmanager
async def heard(dsn: str, **pool: Any) -> AsyncIterator[Heard]:
    """`told` and `keep` begin empty."""
    other = await asyncpg.connect(dsn)
    try:
        async with Kernel.of({HeardPlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1, **pool}}) as kernel:
            found = Heard(kernel, other)
            found.plugin.told.clear()
            yield found
    finally:
        await other.close()


async def until(true: Callable[[], object]) -> None:
    """Wait for what happens by itself."""
    with anyio.fail_after(20):
        while not true():  # noqa: ASYNC110  # nothing tells
            await anyio.sleep(0.005)
