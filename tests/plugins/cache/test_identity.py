"""What is kept holds for what the pool leads to: another server, database or setting, and lost connections."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

import anyio
import anyio.lowlevel
import asyncpg
import pytest

from galvo import Session
from galvo.errors import is_open
from galvo_embedded import Servers
from galvo_pool import plugin as pool_plugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import LOST, VISITS, Situation, answer, connected, shared, two, until
from tests.plugins.cache.stand import ALL, PRICE, RAISE, locked

pytestmark = pytest.mark.anyio
AT = "select at::text from visit where id = 1"
PID = "select pg_backend_pid()"
CROWD = ", ".join(f"material {name}" for name in "abcdefgh")
"""A cheap answer is not worth a place in Redis."""


@pytest.fixture
def own_redis(folder: Path) -> AsyncIterator[OwnRedis]:
    redis = OwnRedis(folder)
    redis.start()
    yield redis
    redis.close()


async def by_default(s: Situation, setting: str, value: str) -> None:
    """For whoever connects from now on, `other` included."""
    name = await s.admin.fetchval("select quote_ident(current_database())")
    await s.admin.execute(f"alter database {name} set {setting} = {value}")
    await s.other.execute(f"set {setting} = {value}")


@asynccontextmanager
async def renewed(s: Situation) -> AsyncIterator[Session]:
    """A session on a new connection, which brings news."""
    before = s.kernel.plugin_stats("pool")["identities"]
    async with AsyncExitStack() as stack:
        while s.kernel.plugin_stats("pool")["identities"] == before:
            session = await stack.enter_async_context(s.kernel.acquire())
            await session.fetch(PID)
        yield session


async def end(s: Situation, pid: int) -> None:
    """An administrator ends one of the pool's connections; on return the pool knows."""
    before = s.kernel.plugin_stats("pool")["lost"]
    await s.admin.execute("select pg_terminate_backend($1, 10000)", pid)

    async def noticed() -> bool:
        return s.kernel.plugin_stats("pool")["lost"] > before

    await until(noticed)


async def trusted(s: Situation) -> bool:
    return not s.kernel.find_capability("pool")._fleet.doubt.is_set()


@asynccontextmanager
async def refusing(s: Situation, server_dsn: str) -> AsyncIterator[None]:
    """The server takes no new connections to the database."""
    name = await s.admin.fetchval("select quote_ident(current_database())")
    async with connected(server_dsn) as server:
        await server.execute(f"alter database {name} allow_connections false")
        try:
            yield
        finally:
            await server.execute(f"alter database {name} allow_connections true")


# -- connections that differ ----------------------------------------------------------------------


async def test_a_session_from_before_has_its_own_answers(dsn: str) -> None:
    """It is neither served what the new connections answer, nor are its answers kept."""
    async with two(dsn, VISITS, max_size=4) as s, connected(dsn) as twin, s.kernel.acquire() as old:
        assert await old.fetchval(AT) == await twin.fetchval(AT)
        await s.kept(AT)
        await by_default(s, "timezone", "'Asia/Tokyo'")
        async with renewed(s) as new:
            for _ in range(3):
                await s.kept(AT)
                assert await old.fetchval(AT) == await twin.fetchval(AT) != await new.fetchval(AT)
        await s.kept(AT)


async def test_an_answer_on_its_way_is_not_kept(dsn: str) -> None:
    """Those who wait for it ask for themselves."""
    async with two(dsn, VISITS, max_size=4) as s, connected(dsn) as blocker:
        await s.right("select count(*) from visit")
        await blocker.execute("begin; lock visit")
        asked = [asyncio.create_task(s.kernel.fetchval(AT)) for _ in range(3)]
        await locked(s.other)
        await by_default(s, "timezone", "'Asia/Tokyo'")
        async with renewed(s):
            await blocker.execute("commit")
            told = [await task for task in asked]
        assert told == ["2026-03-29 00:30:00+00"] + ["2026-03-29 09:30:00+09"] * 2
        await s.kept(AT)


async def test_a_computed_value_of_another_time(dsn: str) -> None:
    async with two(dsn, VISITS, max_size=3) as s, s.kernel.acquire() as old:
        await old.execute("set work_mem = '1MB'")  # it reads for itself from now on
        await by_default(s, "timezone", "'Asia/Tokyo'")
        async with renewed(s):
            pass
        before = await old.fetchval(AT)
        assert await s.kernel.cached("at", lambda: old.fetchval(AT), depends_on=["visit"]) == before
        after = await s.truth(AT)
        for _ in range(3):
            assert await s.kernel.cached("at", lambda: s.kernel.fetchval(AT), depends_on=["visit"]) == after


@pytest.mark.parametrize("redis", [False, True])
async def test_a_write_of_a_session_from_before(dsn: str, own_redis: OwnRedis, redis: bool) -> None:
    """There its names mean the tables that they meant before."""
    setup = "create schema b; create table b.material as select * from material;"
    sql, other = "select sum(price) from public.material", "select sum(price) from b.material"
    cache = shared(own_redis.url) if redis else {}
    async with two(dsn, setup, cache=cache, max_size=4) as s, two(dsn, schema=None, cache=cache) as t:
        await s.awake()
        await t.awake()
        async with s.kernel.acquire() as old:
            await old.fetch(PID)
            await by_default(s, "search_path", "b, public")
            async with renewed(s):
                pass
            for end in ("", "commit"):
                await s.awake()
                for each in (sql, other):
                    await s.kept(each)
                    if redis:
                        await t.kept(each)
                if end:
                    await old.execute("begin")
                await old.execute(RAISE, 1)
                if end:
                    await old.execute(end)
                for each in (sql, other):
                    await s.right(each)
                    if redis:
                        await t.right(each)
        assert await s.truth(other) == Decimal("22.50")


async def test_a_write_among_connections_that_differ(dsn: str, own_redis: OwnRedis) -> None:
    """Three settings in a minute: nobody knows on which connection it runs, and what its names mean there."""
    setup = "create schema b; create table b.material as select * from material;"
    asked = ("select sum(price) from public.material", "select sum(price) from b.material")
    cache = shared(own_redis.url)
    async with two(dsn, setup, cache=cache, max_size=2) as s, two(dsn, schema=None, cache=cache) as t:
        pool = s.kernel.find_capability("pool")
        async with s.kernel.acquire() as old:
            keeps = await old.fetchval(PID)
            for path in ("b", "b, public"):
                await by_default(s, "search_path", path)
                for pid in pool.pids() - {keeps}:
                    await end(s, pid)
                    await until(lambda: trusted(s))
                while len(pool.pids()) < 2:
                    await s.kernel.fetch(PID)
        assert pool.identity == ""
        await s.kernel.fetch("select 1 from material")  # by now the catalog is known, as one of them sees it
        for number in (0, 1):
            for sql in asked:
                await t.right(sql)
            async with s.kernel.acquire() as one, s.kernel.acquire() as another:
                free = sorted([(await each.fetchval(PID), each) for each in (one, another)])[number][1]
                await free.close()
                await s.write(RAISE, 1)
                for sql in asked:
                    await t.right(sql)
        assert [await t.truth(sql) for sql in asked] == [Decimal("23.50")] * 2


async def test_settings_that_flap(dsn: str) -> None:
    """Whatever the connections say, what is kept is right for those to come; and in the end it is kept."""
    async with two(dsn, VISITS, max_size=2) as s:
        for zone in ("Asia/Tokyo", "UTC", "Asia/Tokyo", "Europe/Rome", "UTC"):
            await by_default(s, "timezone", f"'{zone}'")
            await s.reconnect()
            await s.kept(AT)


# -- connections that are lost --------------------------------------------------------------------


async def test_one_lost_connection_costs_no_answer(dsn: str) -> None:
    async with two(dsn) as s:
        await s.kept(PRICE, 1)
        await s.kept(ALL)
        for _ in range(10):
            entries = s["entries"]
            await end(s, await s.kernel.fetchval(PID))
            await until(lambda: trusted(s))
            await s.still_kept(PRICE, 1)
            await s.still_kept(ALL)
            assert s["entries"] == entries


@pytest.mark.parametrize("redis", [False, True])
async def test_in_doubt_nothing_is_served_or_kept(dsn: str, server_dsn: str, own_redis: OwnRedis, redis: bool) -> None:
    """One connection is lost, and no other can be opened that says why; those that are left answer.

    Other processes extend the lease meanwhile.
    """
    cache = {"max_misses_untrusted": 1, **(shared(own_redis.url) if redis else {})}
    async with two(dsn, min_size=2, max_size=2, cache=cache) as s:
        await s.awake()
        await s.kept(PRICE, 1)
        async with s.kernel.acquire() as session:
            pid = await session.fetchval(PID)
            async with refusing(s, server_dsn):
                await end(s, pid)
                await s.never_kept(PRICE, 1)
                await s.never_kept(ALL)
                if redis:
                    await extended(s)
                    await s.never_kept(PRICE, 1)
                await s.write(RAISE, 1)
                await s.never_kept(PRICE, 1)
                stop, untrusted = s.gate.stop(ALL), s["misses_untrusted"]
                asked = [asyncio.create_task(s.kernel.fetch(ALL)) for _ in range(5)]
                await stop.reached.wait()
                with anyio.fail_after(20):
                    while s["misses_untrusted"] < untrusted + 5:
                        await anyio.lowlevel.checkpoint()
                before = s.ran(ALL)
                stop.go.set()
                await asyncio.gather(*asked)
                assert s.ran(ALL) == before + 4, "one at a time"
            await until(lambda: trusted(s))
        await s.awake()
        await s.kept(PRICE, 1)
        await s.kept(ALL)


async def extended(s: Situation) -> None:
    """The lease has been extended again."""
    lease = s.kernel.find_capability("cache")._sharing.coherence._lease
    before = lease.until

    async def again() -> bool:
        return bool(lease.until > before)

    await until(again)


async def test_a_lost_transaction_reads_nothing_from_memory(dsn: str) -> None:
    """It has written; the answer of before would hide that from it, and that it cannot be committed."""
    async with two(dsn, max_size=2) as s:
        await s.kept(PRICE, 1)
        async with s.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
            await end(s, await session.fetchval(PID))
            await until(lambda: trusted(s))
            for sql in (PRICE, PRICE, RAISE):
                with pytest.raises(LOST) as caught:
                    await session.fetch(sql, 1)
                assert not is_open(caught.value)
            with pytest.raises(LOST) as caught:
                await session.execute("commit")
            assert not is_open(caught.value)
        assert s["pending"] == 0, "COMMIT was never sent, so it is not waited for"
        await s.kept(PRICE, 1)


async def test_what_a_lost_transaction_wrote_is_not_taken_for_somebody_else_s(dsn: str) -> None:
    """The server counts what it has rolled back."""
    async with two(dsn, max_size=2, cache={"watch": 0.05}) as s:
        await s.right(ALL)
        await looks(s, 2)
        counted = "select n_tup_upd from pg_stat_user_tables where relname = 'material'"
        before = await s.truth(counted)
        async with s.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
            await end(s, await session.fetchval(PID))
            with pytest.raises(LOST):
                await session.execute("commit")

        async def moved() -> bool:
            return bool(await s.truth(counted) > before)

        await until(moved)
        await looks(s, 2)
        assert s["unannounced_writes"] == 0


async def looks(s: Situation, number: int) -> None:
    """The cache has looked at the statistics so many times from now on."""

    def seen() -> int:
        return sum("mark.counting" in query.sql for query in s.gate.seen)

    before = seen()

    async def enough() -> bool:
        return seen() > before + number

    await until(enough)


# -- together with others -------------------------------------------------------------------------


@asynccontextmanager
async def sharing(dsn: str, redis: OwnRedis, setup: str = "") -> AsyncIterator[Situation]:
    async with two(dsn, setup, cache=shared(redis.url), max_size=2) as s:
        await until(s.shares)
        yield s


async def test_what_is_kept_in_redis_is_of_the_same_settings(dsn: str, own_redis: OwnRedis) -> None:
    sql = f"select min(at)::text, count(*) from visit, {CROWD}"
    async with sharing(dsn, own_redis, VISITS) as s:
        await s.kept(sql)
        await until(s.has_shared)
        await by_default(s, "timezone", "'Asia/Tokyo'")
        await s.reconnect()
        await s.right(sql)
        await until(s.shares)
        await s.right(sql)
        await s.kept(sql)
        await by_default(s, "timezone", "'UTC'")
        await s.reconnect()
        await until(s.shares)
        before = s.ran(sql)
        await s.right(sql)
        assert s.ran(sql) == before, "what was kept under these settings is there"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_is_kept_in_redis_is_from_after_the_crash(folder: Path, own_redis: OwnRedis) -> None:
    """No stamp has changed, and an unlogged table is empty."""
    sql = f"select max(n), count(*) from counter, {CROWD}"
    own = Servers(folder / "pg", options={"fsync": "off"})
    try:
        dsn = await own.postgres()
        setup = "create unlogged table counter(n int); insert into counter values (1);"
        async with sharing(dsn, own_redis, setup) as s:
            await s.kept(sql)
            await until(s.has_shared)
            os.kill(await s.admin.fetchval(PID), signal.SIGKILL)

            async def recovered() -> bool:
                try:
                    s.other = await asyncpg.connect(dsn)
                    await s.kernel.fetch(PID)
                except LOST:
                    return False
                return True

            await until(recovered)
            assert await answer(s.other.fetch, sql) == await answer(s.kernel.fetch, sql)
            await until(s.shares)
            await s.kept(sql)
            await s.other.close()
    finally:
        own.close()
        gc.collect()  # connections that were refused meanwhile leave futures behind


async def test_two_that_have_moved_hear_of_each_other(dsn: str, server_dsn: str, own_redis: OwnRedis) -> None:
    """The database is dropped and made again: another OID, and with it another namespace."""
    name = dsn.partition("@/")[2].partition("?")[0]
    cache = shared(own_redis.url)
    async with connected(server_dsn) as server, two(dsn, cache=cache) as s, two(dsn, schema=None, cache=cache) as t:
        for each in (s, t):
            await each.awake()
            await each.kept(PRICE, 1)
        await server.execute(f'drop database "{name}" with (force)')
        await server.execute(f'create database "{name}"')
        async with connected(dsn) as new:
            await new.execute("create table material(id int primary key, price numeric); create table log(id int)")
            await new.execute("insert into material values (1, 7)")
        async with connected(dsn) as other:
            for each in (s, t):
                each.admin, each.other = server, other
                await each.reconnect()
                assert await each.right(PRICE, 1) == [(Decimal(7),)]
            for each, writer in ((s, t), (t, s)):
                await each.awake()
                await writer.awake()
                await each.kept(PRICE, 1)
                await writer.write(RAISE, 1)
                await each.right(PRICE, 1)


async def test_a_write_that_finds_another_database(
    dsn: str, server_dsn: str, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those to whom it was announced are not those who must know."""

    async def nothing(pool: object) -> None:
        """No connection is opened unless somebody asks the database."""

    monkeypatch.setattr(pool_plugin, "open_one", nothing)
    name = dsn.partition("@/")[2].partition("?")[0]
    cache = shared(own_redis.url)
    async with (
        connected(server_dsn) as server,
        two(dsn, cache=cache, min_size=0) as s,
        two(dsn, schema=None, cache=cache, min_size=0) as t,
    ):
        await s.awake()
        await t.awake()
        await server.execute(f'drop database "{name}" with (force)')
        await server.execute(f'create database "{name}"')
        async with connected(dsn) as t.other:
            await t.other.execute("create table material(id int primary key, price numeric); create table log(id int)")
            await t.other.execute("insert into material values (1, 7)")
            await t.right(PRICE, 1)
            await t.awake()
            await t.kept(PRICE, 1)
            assert s.kernel.plugin_stats("pool")["size"] == 0
            await s.write(RAISE, 1)
            assert await t.right(PRICE, 1) == [(Decimal(8),)]
        s.admin = t.admin = s.other = server
        t.other = server
