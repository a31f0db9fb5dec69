"""What a session did before the cache saw it, and what it leaves behind, makes no later answer wrong."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import anyio
import pytest

from tests.plugins.cache.stand import LOG, PRICE, RAISE, standing

pytestmark = pytest.mark.anyio


async def test_the_cache_comes_in_the_middle_of_a_transaction(dsn: str) -> None:
    """It has not seen what was written, so the COMMIT may have written anything."""
    async with standing(dsn) as stand:
        await stand.kernel.disable("cache")
        async with stand.kernel.transaction() as session:
            await session.execute(RAISE, 1)
            await stand.kernel.enable("cache")
            assert await stand.warm(PRICE, 1) == Decimal("1.50")
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        assert stand["flushes"] == 1


async def test_the_cache_restarts_in_the_middle_of_a_transaction(dsn: str) -> None:
    async with standing(dsn) as stand:
        async with stand.kernel.transaction() as session:
            await session.execute(RAISE, 1)
            await stand.kernel.disable("cache")
            await session.execute("insert into log(line) values ('unseen')")
            await stand.kernel.enable("cache")
            assert await stand.warm(PRICE, 1) == Decimal("1.50")
            assert await stand.warm(LOG) == 0
            await session.execute(RAISE, 2)
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        assert await stand.fresh(LOG) == 1


async def test_a_write_from_before_the_cache_came(dsn: str) -> None:
    """It runs in the old chain, unseen; nothing is kept until it has ended."""
    async with standing(dsn) as stand:
        await stand.kernel.disable("cache")
        stop = stand.gate.stop("update material")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        await stop.reached.wait()
        enabling = asyncio.create_task(stand.kernel.enable("cache"))
        with anyio.fail_after(10):
            while not stand.kernel.plugin_stats("cache"):  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0)
        for _ in range(5):
            await stand.fresh(PRICE, 1)
        stop.go.set()
        await write
        await enabling
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        await stand.warm(PRICE, 1)


async def test_nothing_of_a_session_leaks_into_later_reads(dsn: str) -> None:
    async with standing(dsn, max_size=1) as stand:
        await stand.other.execute(
            "create role reader; grant usage on schema public to reader; create schema elsewhere;"
            "create table elsewhere.material(id int, price numeric)"
        )
        leave = (
            "set role reader",
            "set session authorization reader",
            "set search_path = elsewhere",
            "set timezone = 'Asia/Tokyo'",
            "set datestyle = 'German'",
            "create temp table material(id int, price numeric)",
            "select set_config('search_path', 'elsewhere', false)",
            "prepare plan as select 1; declare c cursor with hold for select 1",
            "listen something",
            "select pg_advisory_lock(99)",
        )
        for sql in leave:
            stand.kernel.find_capability("cache").clear()
            async with stand.kernel.acquire() as session:
                await session.execute(sql)
            for _ in range(2):
                assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50"), sql
            assert await stand.kernel.fetchval("select current_user::text") == "postgres", sql
            assert await stand.kernel.fetchval("select current_setting('timezone')") != "Asia/Tokyo"
        await stand.other.execute("drop owned by reader; drop role reader")
        held = """select count(*) from pg_locks join pg_database d on d.oid = database
                  where locktype = 'advisory' and datname = current_database()"""
        assert await stand.truth(held) == 0


@pytest.mark.parametrize(
    "setting",
    [
        "set search_path = elsewhere, public",
        "set local search_path to elsewhere",
        "SET SCHEMA 'elsewhere'",
        "select set_config('search_path', 'elsewhere', false)",
        "set role elsewhere",
        "do $$ begin perform set_config('search_path', 'elsewhere', false); end $$",
    ],
)
async def test_a_write_under_another_search_path(dsn: str, setting: str) -> None:
    """The name means another table than the catalog says."""
    async with standing(dsn) as stand:
        await stand.other.execute(
            "create schema elsewhere; create table elsewhere.material(id int, price numeric);"
            "insert into elsewhere.material values (1, 5);"
            "drop role if exists elsewhere; create role elsewhere;"
            "grant all on schema elsewhere to elsewhere; grant all on elsewhere.material to elsewhere"
        )
        sql = "select price from elsewhere.material where id = 1"
        assert await stand.warm(sql) == 5
        async with stand.kernel.transaction() as session:
            await session.execute(setting)
            await session.execute("update material set price = price + 1 where id = 1")
        assert await stand.fresh(sql) == 6
        await stand.other.execute("drop owned by elsewhere; drop role elsewhere")


async def test_a_search_path_from_before_the_cache_was_enabled(dsn: str) -> None:
    """The session's settings were made unseen, so nothing is known of what its names mean."""
    async with standing(dsn) as stand:
        await stand.other.execute(
            "create schema elsewhere; create table elsewhere.material(id int, price numeric);"
            "insert into elsewhere.material values (1, 5)"
        )
        sql = "select price from elsewhere.material where id = 1"
        await stand.kernel.disable("cache")
        async with stand.kernel.acquire() as session:
            await session.execute("set search_path = elsewhere, public")
            await stand.kernel.enable("cache")
            assert await stand.warm(sql) == 5
            await session.execute("update material set price = price + 1 where id = 1")
            assert await stand.fresh(sql) == 6
