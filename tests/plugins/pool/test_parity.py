"""Every facade method means what asyncpg's pool means by it, errors included."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_pool import PoolPlugin

pytestmark = pytest.mark.anyio
SCHEMA = """
create table t(id int primary key, name text, price numeric check (price >= 0));
insert into t select g, 'n' || g, g from generate_series(1, 5) g;
create function loud() returns int language plpgsql as $$ begin raise exception 'loud' using errcode = 'P0042'; end $$;
"""
NOW = datetime(2024, 1, 1, tzinfo=UTC)


class Special(asyncpg.Record):
    pass


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("fetch", ("select * from t order by id",), {}),
    ("fetch", ("select * from t where id = $1", 3), {}),
    ("fetch", ("select * from t where id = any($1)", [1, 2]), {}),
    ("fetch", ("select * from t where false",), {}),
    ("fetch", ("insert into t values (6, 'x', 1) returning *",), {}),
    ("fetch", ("update t set price = price + 1",), {}),
    ("fetch", ("create table made(id int)",), {}),
    ("fetch", ("",), {}),
    ("fetch", ("select 1; select 2",), {}),
    ("fetch", ("select * from t where id = $1", "3"), {}),
    ("fetch", ("select * from t where id = $1",), {}),
    ("fetch", ("select * from t", 1), {}),
    ("fetch", ("select * from nothing",), {}),
    ("fetch", ("select 1 as a, 2 as a",), {}),
    ("fetch", ("select",), {}),
    ("fetch", ("select id from t order by id",), {"record_class": Special}),
    ("fetch", ("select id from t order by id",), {"record_class": dict}),
    ("fetch", ("select pg_sleep(5)",), {"timeout": 0.05}),
    ("fetch", ("select 1",), {"timeout": 10}),
    ("fetch", ("select 1",), {"timeout": 0}),
    ("fetch", ("select 1",), {"timeout": "soon"}),
    ("fetch", ("select $1::timestamptz, $2::json, $3::bytea", NOW, '{"a": 1}', b"x"), {}),
    ("fetch", ("select loud()",), {}),
    ("fetch", (None,), {}),
    ("fetchrow", ("select * from t order by id",), {}),
    ("fetchrow", ("select * from t where false",), {}),
    ("fetchrow", ("delete from t where id > 3 returning id",), {}),
    ("fetchrow", ("delete from t",), {}),
    ("fetchrow", ("select id from t order by id",), {"record_class": Special}),
    ("fetchval", ("select id, name from t order by id",), {}),
    ("fetchval", ("select id, name from t order by id",), {"column": 1}),
    ("fetchval", ("select id, name from t order by id",), {"column": "name"}),
    ("fetchval", ("select id, name from t order by id",), {"column": 7}),
    ("fetchval", ("select id, name from t order by id",), {"column": -1}),
    ("fetchval", ("select null",), {}),
    ("fetchval", ("select * from t where false",), {"column": 9}),
    ("fetchval", ("insert into t values (7, 'y', -1) returning id",), {}),
    ("execute", ("select * from t",), {}),
    ("execute", ("insert into t values (8, 'z', 1)",), {}),
    ("execute", ("insert into t values ($1, $2, $3)", 9, None, 1), {}),
    ("execute", ("insert into t values (10, 'a', 1); insert into t values (10, 'b', 1)",), {}),
    ("execute", ("insert into t values (11, 'a', 1); select 1; delete from t where id = 11",), {}),
    ("execute", ("begin; insert into t values (12, 'a', 1)",), {}),
    ("execute", ("copy t to stdout",), {}),
    ("execute", ("vacuum t",), {}),
    ("execute", ("",), {}),
    ("execute", ("delete from t where id = $1; select 1", 1), {}),
    ("execute", ("select pg_sleep(5)",), {"timeout": 0.05}),
    ("executemany", ("insert into t values ($1, $2, 1)", [(20, "a"), (21, "b")]), {}),
    ("executemany", ("insert into t values ($1, $2, 1)", ((n, "g") for n in range(30, 33))), {}),
    ("executemany", ("insert into t values ($1, $2, 1)", [(40, "a"), (1, "taken")]), {}),
    ("executemany", ("insert into t values ($1, $2, 1)", [(41, "a"), ("no", "b")]), {}),
    ("executemany", ("insert into t values ($1, $2, 1)", [[50, "list"]]), {}),
    ("executemany", ("insert into t values ($1, $2, 1)", []), {}),
    ("executemany", ("insert into t values ($1, $2, 1)", [1]), {}),
    ("executemany", ("insert into nothing values ($1)", [(1,)]), {}),
]


async def outcome(target: Any, method: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    try:
        value = await getattr(target, method)(*args, **options)
    except Exception as error:
        return type(error), str(error) if isinstance(error, asyncpg.PostgresError) else ""
    if isinstance(value, list):
        return [(type(row), list(row.items())) for row in value]
    return (type(value), list(value.items())) if isinstance(value, asyncpg.Record) else (type(value), value)


def again(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Generators run once only."""
    return tuple(((n, "g") for n in range(30, 33)) if hasattr(arg, "send") else arg for arg in args)


@pytest.mark.parametrize("where", ["kernel", "session", "transaction"])
async def test_the_same_answers_and_errors(dsn: str, where: str) -> None:
    connection = await asyncpg.connect(dsn)
    differ = []
    async with (
        asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool,
        Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 1}}) as kernel,
    ):
        for method, args, options in CALLS:
            if "begin" in str(args[0]) and where != "transaction":
                continue  # asyncpg complains to the loop about a pool that gets back an open transaction
            results = []
            for target in (pool, kernel):
                await connection.execute("drop table if exists t, made; drop function if exists loud; " + SCHEMA)
                if where == "kernel":
                    result = await outcome(target, method, again(args), options)
                else:
                    async with target.acquire() as session:
                        if where == "session":
                            result = await outcome(session, method, again(args), options)
                        else:
                            change = session.transaction()
                            await change.start()
                            result = await outcome(session, method, again(args), options)
                            await change.rollback()
                left = await connection.fetch("select * from t order by id")
                results.append((result, [tuple(row) for row in left]))
            if results[0] != results[1]:
                differ.append((method, args, options, *results))
        assert kernel.plugin_stats("pool")["lent"] == 0
    await connection.close()
    assert differ == []


@pytest.mark.parametrize("isolation", [None, "serializable", "repeatable_read", "read_committed", "read_uncommitted"])
async def test_transactions_are_what_they_say(dsn: str, isolation: Any) -> None:
    sql = "select current_setting('transaction_isolation'), current_setting('transaction_read_only')"
    connection = await asyncpg.connect(dsn)
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        for readonly in (False, True):
            async with connection.transaction(isolation=isolation, readonly=readonly):
                expected = await connection.fetchrow(sql)
            async with kernel.transaction(isolation=isolation, readonly=readonly) as session:
                assert await session.fetchrow(sql) == expected
                assert session.in_transaction
                async with session.transaction():
                    assert await session.fetchval("select pg_current_xact_id_if_assigned() is null")
    await connection.close()
    with pytest.raises(ValueError, match="isolation is one of"):
        async with kernel.transaction(isolation="chaos"):  # type: ignore[arg-type]  # on purpose
            pass


async def test_one_row_is_all_that_is_made(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        await kernel.execute("create sequence s")
        sql = "select nextval('s') from generate_series(1, 1000)"
        assert (await kernel.fetchrow(sql))[0] == 1
        assert await kernel.fetchval(sql) == 2
        assert await kernel.fetchval("select last_value from s") == 2


async def test_errors_leave_a_transaction_as_asyncpg_leaves_it(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        await kernel.execute("create table t(id int primary key)")
        with pytest.raises(asyncpg.UniqueViolationError):  # noqa: PT012
            async with kernel.transaction() as session:
                await session.execute("insert into t values (1)")
                await session.execute("insert into t values (1)")
        assert await kernel.fetchval("select count(*) from t") == 0
        async with kernel.transaction() as session:
            await session.execute("insert into t values (1)")
            with pytest.raises(asyncpg.UniqueViolationError):
                async with session.transaction():
                    await session.execute("insert into t values (1)")
            await session.execute("insert into t values (2)")
        assert await kernel.fetchval("select count(*) from t") == 2
