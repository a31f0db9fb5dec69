"""A connection of one's own: the pool's database and settings, outside of the pool."""

from __future__ import annotations

import traceback

import asyncpg
import pytest

from galvo import Kernel, PluginError
from galvo_pool import PoolPlugin
from tests.plugins.cache.situations.situation import LOST

pytestmark = pytest.mark.anyio


def pooled(dsn: str, **settings: object) -> Kernel:
    return Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 1, **settings}})


async def test_it_has_the_settings_of_the_pool_and_is_not_of_it(dsn: str) -> None:
    settings = {"search_path": "pg_catalog", "application_name": "shop"}
    async with pooled(dsn, server_settings=settings) as kernel:
        pool = kernel.find_capability("pool")
        async with kernel.acquire() as session:  # the only connection of the pool
            lent = await session.fetchval("select pg_backend_pid()")
            connection = await pool.connect()
            assert connection.get_server_pid() != lent
            for name in ("search_path", "application_name"):
                assert await connection.fetchval("select current_setting($1)", name) == settings[name]
            sql = "select current_database()"
            assert await connection.fetchval(sql) == await session.fetchval(sql)
            assert pool.stats()["lent"] == 1
            await connection.close()


async def test_it_outlives_the_pool_until_it_is_closed(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        connection = await kernel.find_capability("pool").connect()
    assert await connection.fetchval("select 7") == 7
    await connection.close()


async def test_the_pids_are_those_of_the_pool(dsn: str) -> None:
    async with pooled(dsn, max_size=2) as kernel:
        pool = kernel.find_capability("pool")
        own = await pool.connect()
        async with kernel.acquire() as one, kernel.acquire() as two:
            pids = {await session.fetchval("select pg_backend_pid()") for session in (one, two)}
            assert pool.pids() == pids
            assert own.get_server_pid() not in pids
            gone = await one.fetchval("select pg_backend_pid()")
            await own.execute("select pg_terminate_backend($1, 10000)", gone)
            with pytest.raises(LOST):  # it knows as well
                await one.fetch("select 1")
            assert gone not in pool.pids(), "another one may have taken its place"
            assert pool.pids() >= pids - {gone}
        await own.close()


async def test_a_failure_is_one_sentence_without_the_password(server_dsn: str, dsn: str) -> None:
    url = dsn.replace("postgres@", "postgres:s3cret@")
    async with pooled(url) as kernel:
        pool = kernel.find_capability("pool")
        breaker = await asyncpg.connect(server_dsn)
        name = await kernel.fetchval("select current_database()")
        await breaker.execute(f'alter database "{name}" allow_connections false')
        with pytest.raises(PluginError, match=r"^plugin 'pool': cannot connect to .*not currently accept") as caught:
            await pool.connect()
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))
        await breaker.close()


async def test_there_is_none_before_the_start(dsn: str) -> None:
    plugin = PoolPlugin(PoolPlugin.settings_type(url=dsn), None)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match="is not started"):
        await plugin.connect()
    assert plugin.pids() == frozenset()
