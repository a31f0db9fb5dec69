"""21 and 22: the same text on another database, and arguments that only look equal."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_embedded import Servers
from tests.plugins.cache.situations.situation import connected, shared, two, until
from tests.plugins.cache.stand import LOG, PRICE, RAISE

pytestmark = pytest.mark.anyio


async def test_21_the_pool_moves_to_another_database(dsn: str, server_dsn: str, tmp_path: Path) -> None:
    """The same kernel, the same text, another database: a reload of the settings."""
    async with connected(dsn) as one, connected(server_dsn) as two_:
        for number, connection in enumerate((one, two_)):
            await connection.execute(f"drop table if exists which; create table which as select {number}::int as id")
        try:
            async with Kernel.from_settings(
                tmp_path, overrides={"pool": {"url": dsn}, "cache": {"on": True}}
            ) as kernel:
                assert [await kernel.fetchval("select id from which") for _ in range(3)] == [0, 0, 0]
                assert kernel.plugin_stats("cache")["hits"] == 2
                await kernel.reload({"pool": {"url": server_dsn}, "cache": {"on": True}})
                assert [await kernel.fetchval("select id from which") for _ in range(3)] == [1, 1, 1]
                assert kernel.plugin_stats("cache")["hits"] >= 2
        finally:
            await two_.execute("drop table which")


async def test_21_the_pool_gets_other_settings(dsn: str, tmp_path: Path) -> None:
    """The same kernel and database, but its connections start in another time zone."""
    async with connected(dsn) as other:
        await other.execute("create table visit as select timestamptz '2026-03-29 00:30:00+00' as at")
        sql = "select at::text from visit"
        on: dict[str, Any] = {"cache": {"on": True}}
        async with Kernel.from_settings(tmp_path, overrides={"pool": {"url": dsn}, **on}) as kernel:
            assert [await kernel.fetchval(sql) for _ in range(3)] == [await other.fetchval(sql)] * 3
            await kernel.reload({"pool": {"url": dsn, "server_settings": {"timezone": "Asia/Tokyo"}}, **on})
            await other.execute("set timezone = 'Asia/Tokyo'")
            assert [await kernel.fetchval(sql) for _ in range(3)] == [await other.fetchval(sql)] * 3


async def test_21_a_database_dropped_and_made_again(dsn: str, server_dsn: str) -> None:
    """It has the same name and other rows; whoever is connected when it goes loses his connection."""
    sql = "select count(*) from log"
    name = dsn.partition("@/")[2].partition("?")[0]
    async with connected(server_dsn) as server, two(dsn) as s:
        await s.kept(sql)
        await server.execute(f'drop database "{name}" with (force)')
        await server.execute(f'create database "{name}"')
        async with connected(dsn) as new:
            await new.execute("create table log(id int); insert into log values (1), (2), (3)")
        s.admin = server
        await s.reconnect()
        async with connected(dsn) as s.other:
            assert await s.kept(sql) == [(3,)]


async def test_21_two_databases_on_one_redis(dsn: str, server_dsn: str, servers: Servers) -> None:
    """The same names, texts and OIDs: the namespace keeps them apart."""
    cache = shared(await servers.redis())
    async with connected(server_dsn) as server:
        await server.execute("drop database if exists twin")
        await server.execute("create database twin")
        try:
            twin = server_dsn.replace("/postgres?", "/twin?")
            async with two(dsn, cache=cache) as s, two(twin, "delete from job;", cache=cache) as t:
                await s.awake()
                await t.awake()
                await t.write("insert into material values (9, 'only here', 1, '{}')")
                for sql in ("select count(*) from material", LOG, "select name from material order by id"):
                    await s.kept(sql)
                    await t.kept(sql)
                    await t.write("update material set price = price + 1")
                    await s.still_kept(sql)
        finally:
            await server.execute("drop database twin with (force)")


async def test_21_two_processes_on_one_database_share(dsn: str, servers: Servers) -> None:
    """What one has read is a hit for the other."""
    cache = shared(await servers.redis())
    crowd = ", ".join(f"material {name}" for name in "abcdefgh")  # a cheap answer is not worth a place in Redis
    sql = f"select a.name, count(*) from {crowd} group by a.name"
    async with two(dsn, cache=cache) as s, two(dsn, schema=None, cache=cache) as same:
        await until(s.shares)
        await until(same.shares)
        await s.kept(sql)
        await until(s.has_shared)
        await same.still_kept(sql)
        await same.write(RAISE, 1)
        await s.kept(sql)


async def test_21_two_clusters_on_one_redis(dsn: str, servers: Servers, folder: Path) -> None:
    """Same database name, same OIDs, another system identifier."""
    cache = shared(await servers.redis())
    own = Servers(folder, options={"fsync": "off"})
    second = Servers(folder / "second", options={"fsync": "off"})
    try:
        async with two(await own.postgres(), cache=cache) as s, two(await second.postgres(), cache=cache) as t:
            await s.awake()
            await t.awake()
            assert await s.truth("select oid from pg_database where datname = 'postgres'") == await t.truth(
                "select oid from pg_database where datname = 'postgres'"
            )
            await t.write("update material set price = 99")
            assert await s.kept(PRICE, 1) == [(Decimal("1.50"),)]
            assert await t.kept(PRICE, 1) == [(99,)]
    finally:
        own.close()
        second.close()


VALUES: list[tuple[str, list[Any]]] = [
    ("select $1::numeric::text from material where id = 1", [1, Decimal("1.0"), Decimal("1.00"), Decimal("-0.0"), 0]),
    ("select $1::float8::text from material where id = 1", [0.0, -0.0, 1.0, math.inf, 1]),
    ("select $1::text from material where id = 1", ["1", "1.0", "True", "", "None"]),
    ("select $1::bool::text from material where id = 1", [True, False, 1, 0, None]),
    ("select $1::int4[]::text from material where id = 1", [[1, 2], [12], [], [[1], [2]], [None]]),
    ("select $1::text[]::text from material where id = 1", [["a,b"], ["a", "b"], ["NULL"], [None], [""]]),
    ("select $1::bytea::text from material where id = 1", [b"1", b"", b"\0"]),
    ("select $1::timestamptz::text from material where id = 1", [
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9))),
        dt.datetime(2026, 1, 1, 0, tzinfo=dt.timezone(dt.timedelta(hours=9))),
    ]),
    ("select $1::timetz::text from material where id = 1", [
        dt.time(0, tzinfo=dt.UTC), dt.time(9, tzinfo=dt.timezone(dt.timedelta(hours=9))),
    ]),
    ("select $1::uuid::text from material where id = 1",
     [uuid.UUID(int=1), str(uuid.UUID(int=1)), uuid.UUID(int=2**61)]),
]  # fmt: skip


@pytest.mark.parametrize("sql, values", VALUES, ids=[sql[7:20] for sql, _ in VALUES])
async def test_22_arguments_that_look_equal(dsn: str, sql: str, values: list[Any]) -> None:
    """1, True, 1.0, Decimal(1) and '1' are different arguments, as are -0.0 and 0.0; each of them hits."""
    async with two(dsn) as s:
        for _ in range(2):
            for value in values:
                try:
                    expected: Any = await s.other.fetchval(sql, value)
                except asyncpg.DataError:
                    expected = asyncpg.DataError
                try:
                    told: Any = await s.kernel.fetchval(sql, value)
                except asyncpg.DataError:
                    told = asyncpg.DataError
                assert told == expected, value
        if "timetz" not in sql:  # it asks the clock whether it is summer
            await s.kept(sql, values[0])


async def test_22_two_arguments_do_not_run_together(dsn: str) -> None:
    """('a', 'bc') is not ('ab', 'c')."""
    sql = "select $1::text || '|' || $2::text as t from material where id = 1"
    async with two(dsn) as s:
        for args in (("a", "bc"), ("ab", "c"), ("", "abc"), ("a'", "b"), ("a", "'b")):
            await s.kept(sql, *args)
