"""The pool leads somewhere else, and there are other processes: what they have kept, and what they must be told."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from galvo_embedded import Servers
from galvo_pool import plugin as pool_plugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.identity.stage import PID, by_default
from tests.plugins.cache.situations.situation import LOST, VISITS, Situation, answer, connected, shared, two, until
from tests.plugins.cache.stand import PRICE, RAISE

pytestmark = pytest.mark.anyio
CROWD = ", ".join(f"material {name}" for name in "abcdefgh")
"""A cheap answer is not worth a place in Redis."""


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
            s.kernel.find_capability("cache").clear()  # in this process
            await s.right(sql)
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


async def test_a_lease_among_those_that_were_left_is_none(dsn: str, own_redis: OwnRedis) -> None:
    """Their last pulse may come back when the pool has moved already."""
    async with two(dsn, cache=shared(own_redis.url)) as s:
        await s.awake()
        await s.kept(PRICE, 1)
        plugin = s.kernel.find_capability("cache")
        before = plugin._sharing.coherence
        plugin.reset()
        before._lease.extend(monotonic() + 60)
        assert plugin._until == 0.0
        await s.awake()
        assert plugin._sharing.coherence is not before
