"""A connection is cleaned before its next borrower when it must be, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from galvo_pool import Pool
from tests.plugins.pool.faults.variants import VARIANTS, pooled

pytestmark = pytest.mark.anyio
SCHEMA = """
create table t (id int);
create function hidden() returns void language plpgsql as $$begin set search_path = nowhere; end$$;
create table sly (id int, b bool default pg_try_advisory_lock(9));
"""
LAST = "select query from pg_stat_activity where pid = $1"
QUIET = [
    "select 1", "select * from t where id = 1", "insert into t values (1)", "update t set id = 2", "delete from t",
    "select now(), random()", "select * from t for update", "select pg_backend_pid()", "explain select 1",
    "select current_setting('search_path')",
]  # fmt: skip
TRACES = {
    "set search_path = nowhere": "search_path",
    "select set_config('search_path', 'nowhere', false)": "search_path",
    "do $$begin set search_path = nowhere; end$$": "search_path",
    "select hidden()": "search_path",
    "begin; set search_path = nowhere; commit": "search_path",
    "set role pg_monitor": "role",
    "set session authorization pg_monitor": "role",
    "select pg_advisory_lock(1)": "locks",
    'select U&"pg\\005fadvisory_lock"(1)': "locks",
    "insert into sly (id) values (1)": "locks",
    "explain analyze insert into sly (id) values (1)": "locks",
    "listen a": "channels",
    "create temp table t (id int)": "temporary",
    "select 1 as one into temp made": "temporary",
    "begin; declare c cursor with hold for select 1; commit": "cursors",
}
STATE = {
    "search_path": "select current_setting('search_path')",
    "role": "select current_user || session_user",
    "locks": "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    "channels": "select array(select pg_listening_channels())",
    "temporary": "select array(select relname::text from pg_class where relnamespace = pg_my_temp_schema())",
    "cursors": "select array(select name from pg_cursors where is_holdable)",
}


async def ready(dsn: str, pool: Pool) -> tuple[asyncpg.Connection, int]:
    """A plain connection, and the server's process behind the pool's only one, when all is known."""
    other = await asyncpg.connect(dsn)
    await other.execute(SCHEMA)
    await pool.fetch("select 'schema'")
    return other, await pool.fetchval("select pg_backend_pid()")


async def lent(pool: Pool, sql: str) -> None:
    async with pool.acquire() as con:
        await con.execute(sql)


async def fetched(pool: Pool, sql: str) -> None:
    async with pool.acquire() as con:
        await con.fetch(sql)


async def in_transaction(pool: Pool, sql: str) -> None:
    async with pool.acquire() as con, con.transaction():
        await con.execute(sql)


async def rolled_back(pool: Pool, sql: str) -> None:
    async with pool.acquire() as con:
        change = con.transaction()
        await change.start()
        await con.execute(sql)
        await change.rollback()


async def prepared(pool: Pool, sql: str) -> None:
    async with pool.acquire() as con:
        await (await con.prepare(sql)).fetch()


async def straight(pool: Pool, sql: str) -> None:
    await pool.execute(sql)


WAYS: list[Callable[[Pool, str], Awaitable[None]]] = [lent, fetched, in_transaction, rolled_back, prepared, straight]


@pytest.mark.parametrize("way", [lent, in_transaction, rolled_back, straight], ids=lambda way: way.__name__)
async def test_no_reset_is_sent_without_need(dsn: str, way: Callable[[Pool, str], Awaitable[None]]) -> None:
    async with pooled(dsn, "cache and pool", max_size=1) as pool:
        other, pid = await ready(dsn, pool)
        for sql in QUIET:
            before = pool._holders[0]._con._protocol.queries_count
            await way(pool, sql)
            sent = pool._holders[0]._con._protocol.queries_count - before
            assert sent == (3 if way in (in_transaction, rolled_back) else 1), sql
            assert "RESET" not in await other.fetchval(LAST, pid), sql
        await other.close()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
async def test_the_next_borrower_finds_it_clean(
    dsn: str, variant: str, way: Callable[[Pool, str], Awaitable[None]]
) -> None:
    async with pooled(dsn, variant, max_size=1) as pool:
        other, pid = await ready(dsn, pool)
        extra = variant != "no kernel"  # without a kernel it is asyncpg's own reset
        clean: dict[str, Any] = {name: await pool.fetchval(sql) for name, sql in STATE.items()}
        for sql, name in TRACES.items():
            if name in ("role", "temporary") and not extra:
                continue
            if ("begin" in sql.split(";")[0] and way in (in_transaction, rolled_back)) or (
                ";" in sql and "do $$" not in sql and way in (fetched, prepared)
            ):
                continue
            await way(pool, sql)
            async with pool.acquire() as con:
                assert await con.fetchval("select pg_backend_pid()") == pid
                for key, state in STATE.items():
                    if extra or key not in ("role", "temporary"):
                        assert await con.fetchval(state) == clean[key], (sql, key)
        await other.close()


@pytest.mark.parametrize("variant", VARIANTS)
async def test_listeners_end_with_the_loan(dsn: str, variant: str) -> None:
    def heard(*_: object) -> None:
        pass

    async with pooled(dsn, variant, max_size=1) as pool:
        await pool.fetch("select 1")
        con = await pool.acquire()
        await con.add_listener("a", heard)
        with pytest.warns(asyncpg.InterfaceWarning, match="active notification listener"):
            await pool.release(con)
        assert await pool.fetchval(STATE["channels"]) == []
        async with pool.acquire() as con:
            await con.add_listener("a", heard)
            await con.remove_listener("a", heard)
        assert await pool.fetchval(STATE["channels"]) == []


@pytest.mark.parametrize("variant", VARIANTS)
async def test_an_open_transaction_is_rolled_back(dsn: str, variant: str) -> None:
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    try:
        async with pooled(dsn, variant, max_size=1) as pool:
            other, _ = await ready(dsn, pool)
            async with pool.acquire() as con:
                await con.execute("begin")
                await con.execute("insert into t values (7)")
            assert await pool.fetchval("select count(*) from t") == 0
            await other.close()
    finally:
        loop.set_exception_handler(handler)
    assert len(complaints) == 1
    assert complaints[0].startswith("Resetting connection with an active transaction")
