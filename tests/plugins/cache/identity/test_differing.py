"""Connections that differ: no answer of the one is kept for the other."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from galvo import Kernel, PluginError
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.identity.stage import AT, PID, by_default, end, renewed, served, trusted
from tests.plugins.cache.situations.situation import VISITS, connected, roles, shared, two, until
from tests.plugins.cache.stand import RAISE, locked

pytestmark = pytest.mark.anyio


async def test_a_session_from_before_has_its_own_answers(dsn: str) -> None:
    """It is neither served what the new connections answer, nor are its answers kept."""
    async with two(dsn, VISITS) as s, connected(dsn) as twin, s.kernel.acquire() as old:
        assert await old.fetchval(AT) == await twin.fetchval(AT)
        await s.kept(AT)
        async with renewed(s, "timezone", "'Asia/Tokyo'") as new:
            for _ in range(3):
                await s.kept(AT)
                assert await old.fetchval(AT) == await twin.fetchval(AT) != await new.fetchval(AT)
        await s.kept(AT)


async def test_an_answer_on_its_way_is_not_kept(dsn: str) -> None:
    """Those who wait for it ask for themselves."""
    async with two(dsn, VISITS) as s, connected(dsn) as blocker:
        await s.right("select count(*) from visit")
        await blocker.execute("begin; lock visit")
        asked = [asyncio.create_task(s.kernel.fetchval(AT)) for _ in range(3)]
        await locked(s.other)
        async with renewed(s, "timezone", "'Asia/Tokyo'"):
            await blocker.execute("commit")
            told = [await task for task in asked]
        assert told == ["2026-03-29 00:30:00+00"] + ["2026-03-29 09:30:00+09"] * 2
        await s.kept(AT)


async def test_a_computed_value_of_another_time(dsn: str) -> None:
    async with two(dsn, VISITS) as s, s.kernel.acquire() as old:
        await old.execute("set work_mem = '1MB'")  # it reads for itself from now on
        async with renewed(s, "timezone", "'Asia/Tokyo'"):
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
    async with two(dsn, setup, cache=cache) as s, two(dsn, schema=None, cache=cache) as t:
        await s.awake()
        await t.awake()
        async with s.kernel.acquire() as old:
            await old.fetch(PID)
            async with renewed(s, "search_path", "b, public"):
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
                await until(lambda sql=sql: served(t, sql))
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


async def test_a_pool_that_does_not_come_up_changes_nothing(dsn: str, tmp_path: Path) -> None:
    """One connection of the new pool has opened, and then it fails: the old one stays, and what it has answered."""
    async with roles(dsn, "tourist"), connected(dsn) as admin:
        await admin.execute(
            "create table t(id int); grant select on t to tourist; alter role tourist connection limit 1"
        )
        on: dict[str, Any] = {"cache": {"on": True}}
        async with Kernel.from_settings(tmp_path, overrides={"pool": {"url": dsn}, **on}) as kernel:
            for _ in range(3):
                await kernel.fetch("select count(*) from t")
            hits = kernel.plugin_stats("cache")["hits"]
            assert hits
            with pytest.raises(PluginError, match="no connections left"):
                await kernel.reload({"pool": {"url": dsn.replace("postgres@", "tourist@"), "min_size": 2}, **on})
            await kernel.fetch("select count(*) from t")
            assert kernel.plugin_stats("cache")["hits"] == hits + 1
