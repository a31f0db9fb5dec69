"""A kernel with cache, gate and pool on a small shop, and a plain connection beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin

SCHEMA = """
create table material(id int primary key, name text not null, price numeric(9, 2) not null, tags text[] not null);
insert into material select g, 'm' || g, g * 1.5, array['a', 'b'] from generate_series(1, 5) g;
create table job(id int primary key, material int not null references material on delete cascade);
insert into job select g, g from generate_series(1, 5) g;
create table log(id serial primary key, line text);
"""
PRICE = "select price from material where id = $1"
ALL = "select id, name from material order by id"
JOBS = "select count(*) from job"
LOG = "select count(*) from log"
RAISE = "update material set price = price + 1 where id = $1"


class Stop:
    """Queries that `matches` wait here until they are let go."""

    def __init__(self, matches: Callable[[Query], bool], after: bool) -> None:
        self.matches = matches
        self.after = after
        self.taken = False
        self.reached = anyio.Event()
        self.go = anyio.Event()


class GatePlugin(Plugin):
    """Between cache and pool: notes every query, and holds some before or after the database ran them."""

    name = "gate"
    provides = ("gate",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.seen: list[Query] = []
        self.stops: list[Stop] = []

    def stop(self, sql: str, *, after: bool = False) -> Stop:
        """Hold the next query that contains `sql`, before or after the database ran it."""
        self.stops.append(made := Stop(lambda query: sql in query.sql, after))
        return made

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.seen.append(query)
        found = next((stop for stop in self.stops if not stop.taken and stop.matches(query)), None)
        if found is None:
            return await proceed(query)
        found.taken = True
        if found.after:
            rows = await proceed(query)
        found.reached.set()
        await found.go.wait()
        return rows if found.after else await proceed(query)


class Stand:
    def __init__(self, kernel: Kernel, other: asyncpg.Connection) -> None:
        self.kernel = kernel
        self.other = other
        self.gate: GatePlugin = kernel.find_capability("gate")

    def hurry(self) -> None:
        """Plugins may not take long to stop."""
        self.kernel.settings = self.kernel.settings.model_copy(update={"drain_timeout": 0.5, "stop_timeout": 0.5})

    def __getitem__(self, counter: str) -> float:
        """A counter of the cache."""
        return self.kernel.plugin_stats("cache").get(counter, 0)

    def ran(self, sql: str, *, origin: str = "") -> int:
        """How often the application's `sql` reached the database, or that of another `origin`."""
        return sum(query.sql == sql and query.origin == origin for query in self.gate.seen)

    def plan(self, sql: str) -> Any:
        """What the cache knows of a statement."""
        return self.kernel.find_capability("cache")._plans.get(sql)

    async def truth(self, sql: str, *args: Any) -> Any:
        return await self.other.fetchval(sql, *args)

    async def hits(self, sql: str, *args: Any) -> bool:
        before = self.ran(sql)
        await self.kernel.fetch(sql, *args)
        return self.ran(sql) == before

    async def warm(self, sql: str, *args: Any) -> Any:
        """Read until it is a hit; gives the value."""
        for _ in range(3):
            value = await self.kernel.fetchval(sql, *args)
        before = self.ran(sql)
        assert await self.kernel.fetchval(sql, *args) == value
        assert self.ran(sql) == before, f"{sql} is not cached"
        return value

    async def fresh(self, sql: str, *args: Any) -> Any:
        """What the kernel answers, which must be what the database holds."""
        value = await self.kernel.fetchval(sql, *args)
        assert value == await self.truth(sql, *args)
        return value


@asynccontextmanager
async def standing(
    dsn: str,
    cache: dict[str, Any] | None = None,
    *,
    setup: str = "",
    more: tuple[type[Plugin], ...] = (),
    **pool: Any,
) -> AsyncIterator[Stand]:
    other = await asyncpg.connect(dsn)
    try:
        await other.execute(SCHEMA + setup)
        plugins: dict[type[Plugin], dict[str, Any]] = {
            CachePlugin: {"ttl": 600, **(cache or {})},
            GatePlugin: {},
            PoolPlugin: {"url": dsn, "min_size": 1, **pool},
            **{plugin: {} for plugin in more},
        }
        async with Kernel.of(plugins) as kernel:
            stand = Stand(kernel, other)
            try:
                yield stand
            finally:  # a failed test must not wait for what it held
                for stop in stand.gate.stops:
                    stop.go.set()
                if not other.is_closed():
                    await other.execute("rollback; select pg_advisory_unlock_all()")
    finally:
        await other.close()


async def locked(other: asyncpg.Connection) -> None:
    """Wait until some other session waits for a lock."""
    sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with anyio.fail_after(10):
        while not await other.fetchval(sql):
            pass
