"""57 to 60: replicas, writers that galvo does not see, and state that it does not see."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest

from galvo_cache import plugin as cache_plugin
from galvo_cache import reading
from galvo_embedded import Servers
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.servers import Standby
from tests.plugins.cache.situations.situation import ASKED, LOST, Situation, answer, connected, shared, two, until
from tests.plugins.cache.stand import LOG, PRICE, RAISE

pytestmark = pytest.mark.anyio

NEW = [(Decimal("2.50"),)]


async def test_57_a_replica_that_lags(folder: Path, own_redis: OwnRedis) -> None:
    """What a reader of the replica reads after the write is old: it must not become the others' answer."""
    own = Servers(folder / "pg", options={"fsync": "off"})
    standby: Standby | None = None
    try:
        dsn = await own.postgres()
        cache = shared(own_redis.url)
        async with two(dsn, cache=cache) as a:
            standby = Standby(dsn, folder)
            standby.start()
            await a.awake()
            async with connected(standby.dsn) as replica:
                await replica.execute("select pg_wal_replay_pause()")
                await a.write(RAISE, 1)
                async with two(standby.dsn, schema=None, cache=cache) as r:
                    for _ in range(3):
                        for sql in ASKED:
                            assert await answer(r.kernel.fetch, sql) in (
                                await answer(replica.fetch, sql), await answer(a.other.fetch, sql),
                            )  # fmt: skip
                            await a.right(sql)
                    async with two(dsn, schema=None, cache=cache) as b:
                        await b.awake()
                        for sql in ASKED:
                            await b.kept(sql)
                await replica.execute("select pg_wal_replay_resume()")
    finally:
        if standby:
            standby.stop()
        own.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_58_failover_to_a_replica_that_lost_a_commit(folder: Path) -> None:
    """The promoted server has another timeline and an older row: what was kept under the old one is void."""
    own = Servers(folder / "pg", options={"fsync": "off"})
    standby: Standby | None = None
    try:
        dsn = await own.postgres()
        async with connected(dsn) as admin:
            await admin.execute("create table account(id int primary key, n int); insert into account values (1, 100)")
            await admin.execute("checkpoint")
        standby = Standby(dsn, folder)
        both = dsn.replace("&port=5432", f",{standby.sockets}&port=5432,5432") + "&target_session_attrs=primary"
        sql = "select n from account where id = 1"
        async with two(dsn, url=both, min_size=1, connect_timeout=5) as s:
            await s.write("update account set n = 200 where id = 1")
            assert await s.kept(sql) == [(200,)]
            await s.other.close()
            await s.admin.close()
            own.close()
            standby.start()
            async with connected(standby.dsn) as promoted:
                await promoted.execute("select pg_promote()")
                s.admin = promoted

                async def lives() -> bool:
                    try:
                        return not await s.kernel.fetchval("select pg_is_in_recovery()")
                    except LOST:
                        return False

                await until(lives)
                s.other = promoted
                expected = await answer(promoted.fetch, sql)
                assert "100" in str(expected)
                assert await answer(s.kernel.fetch, sql) == expected
                await s.kept(sql)
    finally:
        if standby:
            standby.stop()
        own.close()


async def test_59_a_writer_outside_is_bounded_by_the_ttl(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """psql, cron and other services: nobody tells, so an answer lives for its TTL and not longer."""
    now = time.monotonic()
    clock = [now]
    for module in (cache_plugin, reading):
        monkeypatch.setattr(module, "monotonic", lambda: clock[0], raising=False)
    async with two(dsn, cache={"ttl": 10, "jitter": 0}) as s:
        await s.kept(PRICE, 1)
        await s.admin.execute(RAISE, 1)
        clock[0] += 10.1
        assert await s.kept(PRICE, 1) == NEW


OUTSIDE = {
    "autocommit": RAISE.replace("$1", "1"),
    "transaction": "begin; update material set price = price + 1; commit",
    "cascade": "delete from material where id = 1",
    "restore": "set session_replication_role = replica; update material set price = price + 1; reset all",
    "truncate": "truncate material cascade",
    "copy": "copy material from program 'echo 77,m77,7,{} | tr , \"\\t\"'",
}


async def reaches(s: Situation, wanted: str) -> bool:
    return await level(s) == wanted


async def first_look(s: Situation) -> bool:
    """Of a table that was never looked at, nobody knows what came before."""
    return s["outside_writes"] >= 2


async def noticed(s: Situation) -> bool:
    return all([await answer(s.kernel.fetch, sql) == await answer(s.other.fetch, sql) for sql in ASKED])


@pytest.mark.parametrize("write", OUTSIDE.values(), ids=OUTSIDE)
async def test_59_the_statistics_show_it(dsn: str, write: str) -> None:
    """Within seconds; what was not written stays."""
    async with two(dsn, cache={"watch": 0.1}) as s:
        for sql in (*ASKED, LOG):
            await s.kernel.fetch(sql)
        await until(lambda: reaches(s, "statistics"))
        await until(lambda: first_look(s))
        for sql in (*ASKED, LOG):
            await s.kept(sql)
        await s.admin.execute(write)
        await s.admin.execute("select pg_stat_force_next_flush()")  # else the server takes up to 10 s to count it
        await until(lambda: noticed(s), 30)
        for sql in ASKED:
            await s.kept(sql)
        await s.still_kept(LOG)


@pytest.mark.parametrize("write", OUTSIDE.values(), ids=OUTSIDE)
async def test_59_a_trigger_tells(dsn: str, write: str) -> None:
    """ENABLE ALWAYS, so restores with session_replication_role = replica are heard as well."""
    from galvo_cache.external.triggers import INSTALL, watch

    setup = INSTALL + watch("material", "r") + watch("job", "r")
    levels = {"public.material": "trigger", "public.job": "trigger"}
    async with two(dsn, setup, cache={"external": levels}) as s:
        await until(lambda: reaches(s, "trigger"))
        for sql in (*ASKED, LOG):
            await s.kept(sql)
        await s.admin.execute(write)
        await until(lambda: noticed(s), 30)
        for sql in ASKED:
            await s.kept(sql)
        await s.still_kept(LOG)
        await s.write(RAISE, 3)
        for sql in ASKED:
            await s.right(sql)
        await s.still_kept(LOG)


@pytest.mark.parametrize("how", ["trigger", "statistics"])
async def test_59_what_others_keep_in_redis(dsn: str, own_redis: OwnRedis, how: str) -> None:
    """A write from outside ends the answers in Redis, too, for whoever noticed it and for everybody else."""
    from galvo_cache.external.triggers import INSTALL, watch

    crowd = ", ".join(f"material {name}" for name in "abcdefgh")  # dear enough for Redis
    sql = f"select a.price, count(*) from {crowd} group by a.price"
    cache = shared(own_redis.url, external={"public.material": how}, watch=0.1 if how == "statistics" else 0)
    async with two(dsn, INSTALL + watch("material", "r"), cache=cache) as s, two(dsn, schema=None, cache=cache) as t:
        for one in (s, t):
            await until(lambda one=one: reaches(one, how))  # type: ignore[misc]
            await until(one.shares)
        for price in range(2):
            await s.kept(sql)
            await until(s.has_shared)
            await t.still_kept(sql)
            await s.other.execute(f"update material set price = {price}.5 where id = 1")
            await until(lambda: agree(sql, s, t))
            await s.right(sql)
            await t.right(sql)


async def agree(sql: str, *those: Situation) -> bool:
    return all([await answer(s.kernel.fetch, sql) == await answer(s.other.fetch, sql) for s in those])


async def level(s: Situation) -> str:
    """How writes from outside to material are noticed, now."""
    told = await s.kernel.explain(PRICE)
    return str(told["cache"]["outside_writes"]["public.material"])


async def test_59_logical_replication(folder: Path) -> None:
    """Its apply worker fires row triggers that are ENABLE REPLICA."""
    from galvo_cache.external.triggers import INSTALL, watch

    own = Servers(folder, options={"fsync": "off", "wal_level": "logical"})
    try:
        source = await own.postgres()
        async with connected(source) as far:
            await far.execute("create database copy")
            target = source.replace("/postgres?", "/copy?")
            async with two(
                target, INSTALL + watch("material", "r"), cache={"external": {"public.material": "trigger"}}
            ) as s:
                await until(lambda: reaches(s, "trigger"))
                await far.execute("create table material(id int primary key, name text, price numeric, tags text[])")
                await far.execute(
                    "insert into material select g, 'm' || g, g * 1.5, '{a,b}' from generate_series(1, 5) g"
                )
                await far.execute("create publication p for table material")
                await far.execute("select pg_create_logical_replication_slot('s', 'pgoutput')")
                host = source.partition("host=")[2].partition("&")[0]
                await s.admin.execute(
                    f"create subscription s connection 'host={host} port=5432 user=postgres dbname=postgres'"
                    " publication p with (create_slot = false, copy_data = false)"
                )
                for sql in ASKED:
                    await s.kept(sql)
                await far.execute("update material set price = 99 where id = 1")
                await until(lambda: arrived(s), 30)
                await until(lambda: noticed(s), 30)
                for sql in ASKED:
                    await s.kept(sql)
                await s.admin.execute("alter subscription s disable")
                await s.admin.execute("alter subscription s set (slot_name = none); drop subscription s")
    finally:
        own.close()


async def arrived(s: Situation) -> bool:
    return bool(await s.truth(PRICE, 1) == 99)


HIDDEN = """
create schema elsewhere; create table elsewhere.material(id int primary key, price numeric);
insert into elsewhere.material values (1, 100);
create function move() returns int language plpgsql as
    $$ begin perform set_config('search_path', 'elsewhere', false); return 1; end $$;
create procedure travel() language plpgsql as $$ begin set timezone = 'Asia/Tokyo'; end $$;
create table visit(at timestamptz); insert into visit values ('2026-03-29 00:30:00+00');
"""


@pytest.mark.parametrize(
    "hidden", ["select move()", "call travel()", "do $$ begin perform move(); end $$", "execute away"]
)
async def test_60_state_that_the_client_does_not_see(dsn: str, hidden: str) -> None:
    """The server's session is another than its statements say: no answer passes in or out of it."""
    asked = ("select price from material where id = 1", "select at::text from visit")
    async with two(dsn, HIDDEN) as s:
        for sql in asked:
            await s.kept(sql)
        prepared = "prepare away as select set_config('timezone', 'Asia/Tokyo', false)"
        async with s.session(prepared, fresh=True) as pair:
            await pair.session.fetch(hidden)
            await pair.twin.fetch(hidden)
            for sql in asked:
                await pair.right(sql)
                await s.kept(sql)
            await pair.session.execute("update material set price = price + 1 where id = 1")
            await pair.twin.execute("select 1")
            for sql in asked:
                await s.right(sql)
        for sql in asked:
            await s.kept(sql)


async def test_60_a_pool_that_leaks_state(dsn: str) -> None:
    """What one borrower set is gone for the next one, so that what all share has one state."""
    sql = "select at::text from visit"
    async with two(dsn, HIDDEN, max_size=1) as s:
        plain = await s.kept(sql)
        async with s.kernel.acquire() as session:
            await session.execute("call travel()")
        s.kernel.find_capability("cache").clear()
        assert await s.kept(sql) == plain
