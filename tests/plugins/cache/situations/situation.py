"""A kernel, and beside it plain connections in the same state: what the one answers, the other must answer too."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import asyncpg

from galvo import Kernel, Plugin, Session
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.cache.stand import ALL, SCHEMA, GatePlugin, Stand

Fetch = Callable[..., Awaitable[list[Any]]]
VISITS = """
create table visit(id int primary key, at timestamptz not null, day date not null, took interval, raw bytea, note text);
insert into visit values (1, '2026-03-29 00:30:00+00', '2026-02-01', '25 hours', '\\x00ff', 'now'),
    (2, '2026-07-01 22:30:00+00', '2026-01-02', '1 mon -1 day', '\\x41', '01-02-2026');
"""
ASKED = ("select price from material where id = 1", "select sum(price) from material", ALL)
"""What every write to a price changes."""
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises on a connection that the server has ended."""


def shared(url: str, **more: Any) -> dict[str, Any]:
    """Settings of a cache that shares a Redis with others."""
    return {"redis": url, "redis_timeout": 1.0, **more}


async def answer(fetch: Fetch, sql: str, *args: Any) -> Counter[str]:
    """Columns and rows as a multiset, or the error."""
    try:
        return Counter(repr(list(row.items())) for row in await fetch(sql, *args))
    except asyncpg.PostgresError as error:
        return Counter({type(error).__name__: 1})


class Situation(Stand):
    """`other` is a plain connection in the state of the pool's; `admin` is a superuser's."""

    def __init__(self, kernel: Kernel, other: asyncpg.Connection, admin: asyncpg.Connection, dsn: str) -> None:
        super().__init__(kernel, other)
        self.admin = admin
        self.dsn = dsn

    async def right(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """The kernel answers what the database answers, and again what it may have kept; gives the rows."""
        for _ in range(3):
            expected = await answer(self.other.fetch, sql, *args)
            assert await answer(self.kernel.fetch, sql, *args) == expected, f"wrong: {sql}"
        try:
            return [tuple(row) for row in await self.other.fetch(sql, *args)]
        except asyncpg.PostgresError:
            return []

    async def kept(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Right, and by now from memory."""
        rows = await self.right(sql, *args)
        await self.still_kept(sql, *args)
        return rows

    async def still_kept(self, sql: str, *args: Any) -> None:
        """Right, and from memory at the first read."""
        before = self.ran(sql)
        assert await answer(self.kernel.fetch, sql, *args) == await answer(self.other.fetch, sql, *args)
        assert self.ran(sql) == before, f"not kept: {sql}"

    async def never_kept(self, sql: str, *args: Any) -> None:
        """Every read reaches the database."""
        for _ in range(3):
            before = self.ran(sql)
            await answer(self.kernel.fetch, sql, *args)
            assert self.ran(sql) == before + 1, f"kept: {sql}"

    async def write(self, sql: str, *args: Any) -> str:
        return await self.kernel.execute(sql, *args)

    async def awake(self) -> None:
        """Wait until answers are served from memory: a cache that shares has to join first."""
        sql = "select 'awake' as t from log limit 1"
        await until(lambda: self.hits(sql))

    async def shares(self) -> bool:
        """Whether it may share answers with others by now."""
        return bool(self["shares"])

    async def has_shared(self) -> bool:
        """Whether an answer of it is in Redis."""
        return bool(self["l2_writes"])

    async def reconnect(self) -> None:
        """The pool's connections are lost, and new ones come."""
        await self.admin.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where application_name like 'galvo%' and datname = current_database()"
        )

        async def lives() -> bool:
            try:
                async with AsyncExitStack() as stack:  # every one of them, before it is given back
                    for _ in range(int(self.kernel.plugin_stats("pool")["size"])):
                        session = await stack.enter_async_context(self.kernel.acquire())
                        await session.fetch("select pg_backend_pid()")
            except LOST:
                return False
            return True

        await until(lives)

    @asynccontextmanager
    async def session(self, *settings: str, fresh: bool = False) -> AsyncIterator[Pair]:
        """A session of the kernel and a plain connection, after the same statements.

        `fresh`: on a new connection. What an old one has prepared keeps how its literals and names were read.
        """
        if fresh:
            await self.reconnect()
        twin = await asyncpg.connect(self.dsn)
        try:
            async with self.kernel.acquire() as session:
                pair = Pair(self, session, twin)
                for sql in settings:
                    await pair.both(sql)
                yield pair
        finally:
            await twin.close()


class Pair:
    def __init__(self, stand: Situation, session: Session, twin: asyncpg.Connection) -> None:
        self.stand = stand
        self.session = session
        self.twin = twin

    async def both(self, sql: str) -> None:
        await self.session.execute(sql)
        await self.twin.execute(sql)

    async def right(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        for _ in range(3):
            expected = await answer(self.twin.fetch, sql, *args)
            assert await answer(self.session.fetch, sql, *args) == expected, f"wrong in the session: {sql}"
        try:
            return [tuple(row) for row in await self.twin.fetch(sql, *args)]
        except asyncpg.PostgresError:
            return []

    async def kept(self, sql: str, *args: Any) -> None:
        await self.right(sql, *args)
        before = self.stand.ran(sql)
        await self.session.fetch(sql, *args)
        assert self.stand.ran(sql) == before, f"not kept: {sql}"


@asynccontextmanager
async def two(
    dsn: str,
    setup: str = "",
    *,
    user: str = "postgres",
    cache: dict[str, Any] | None = None,
    schema: str | None = SCHEMA,
    more: tuple[type[Plugin], ...] = (),
    **pool: Any,
) -> AsyncIterator[Situation]:
    """The shop of `stand.py` and `setup`, made by a superuser, then read by `user` through a kernel and beside it.

    `schema` None: it is there already.
    """
    own = dsn.replace("://postgres@", f"://{user}@")
    async with connected(dsn) as admin:
        if schema is not None:
            await admin.execute(schema + setup)
        plugins: dict[type[Plugin], dict[str, Any]] = {
            CachePlugin: {"ttl": 600, **(cache or {})},
            GatePlugin: {},
            PoolPlugin: {"url": own, "min_size": 1, **pool},  # a test may put something between
            **{plugin: {} for plugin in more},
        }
        async with connected(own, **pool.get("server_settings", {})) as other, Kernel.of(plugins) as kernel:
            stand = Situation(kernel, other, admin, own)
            assert kernel.find_capability("cache"), "without a cache nothing can be wrong"
            try:
                yield stand
                assert kernel.plugins()[0]["faults"] == 0, "the cache was left out"
            finally:  # a failed test must not wait for what it held
                for stop in stand.gate.stops:
                    stop.go.set()
                for connection in (other, admin):
                    if not connection.is_closed():
                        await connection.execute("rollback; select pg_advisory_unlock_all()")


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def roles(dsn: str, *names: str) -> AsyncIterator[None]:
    """Roles that may log in, gone at the end: they are the whole server's."""
    async with connected(dsn) as admin:
        for name in names:
            await admin.execute(f"create role {name} login")
        try:
            yield
        finally:
            await admin.execute("rollback")
            for name in names:
                await admin.execute(f"drop owned by {name}; drop role {name}")


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = 20) -> None:
    """Wait for what happens by itself."""
    with anyio.fail_after(seconds):
        while not await holds():  # noqa: ASYNC110  # nothing tells
            await anyio.sleep(0.01)


def names(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The first column."""
    return [row[0] for row in rows]
