"""What an advisor meets in the wild: a correct result, or a sentence."""

from __future__ import annotations

import os

import asyncpg
import pytest

from galvo_index.advise import advise, consult
from galvo_index.advise.shown import create
from galvo_index.workload import Statement
from tests.plugins.index.advise.shop import keys

pytestmark = pytest.mark.anyio

TABLES = int(os.environ.get("GALVO_INDEX_TABLES", "300"))  # 5000 take half a minute to create
ROWS = "select i as id, i % 2000 as a, repeat('x', 60) as note from generate_series(1, 20000) i"


async def made(dsn: str, *scripts: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(dsn)
    for script in scripts:
        await connection.execute(script)
    await connection.execute("vacuum (analyze)")
    return connection


async def test_statements_that_do_not_parse_or_mean_nothing_here_are_named(shop: asyncpg.Connection) -> None:
    statements = [
        Statement("selec note from orders"),
        Statement("select note from nowhere where a = 1"),
        Statement("select note from orders where customer = 7"),
        Statement("select nothing from orders where customer = 7"),
        Statement("select 1; select 2"),
        Statement(""),
        Statement("vacuum orders"),
        Statement("select note from orders where total = $1 + $2"),
        Statement("select " + "(" * 3000 + "1" + ")" * 3000),
        Statement("select \0"),
        Statement("select note from orders where total = 1" + " + 1" * 60_000),
    ]
    report = await consult(shop, statements)
    assert set(report.skipped) == {0, 1, 3, 4, 5, 6, 7, 9, 10}
    assert all(report.skipped.values())
    assert any(key.startswith("orders (customer") for key in keys(report.advice))


async def test_arguments_that_do_not_fit_are_no_reason_to_fail(shop: asyncpg.Connection) -> None:
    statements = [
        Statement("select note from orders where customer = $1", arguments=(("seven",), (7, 8), ())),
        Statement("select note from orders where placed = $1", arguments=((object(),),)),
    ]
    report = await consult(shop, statements)
    assert set(report.skipped) <= {0, 1}


async def test_hostile_and_foreign_names(debian_dsn: str) -> None:
    names = ['x"; drop table victim; --', "Größe", "select", "a b", "naïve'quote", "$1"]
    scripts = ["create table victim (id int)"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    for name in quoted:
        scripts.append(f"create schema {name}; create table {name}.{name} ({name} int, note text)")
        scripts.append(f"insert into {name}.{name} select a, note from ({ROWS}) r")
    connection = await made(debian_dsn, *scripts)
    try:
        statements = [Statement(f"select t.note from {name}.{name} t where t.{name} = 7") for name in quoted]
        advice = await advise(connection, statements)
        assert len(advice) == len(names)
        for one in advice:
            await connection.execute(one.definition.sql())
        assert await connection.fetchval("select count(*) from victim") == 0
        assert await advise(connection, statements) == []
    finally:
        await connection.close()


async def test_a_hostile_search_path_and_shadowed_operators(debian_dsn: str) -> None:
    script = f"""
        create schema evil; create table t as {ROWS};
        create function evil.equal(oid, oid) returns bool language sql as 'select 1 / 0 = 0';
        create operator evil.= (leftarg = oid, rightarg = oid, procedure = evil.equal);
        create function evil.quote_ident(text) returns text language sql as 'select 1 / 0';
        create table evil.pg_class (oid oid)"""
    connection = await made(debian_dsn, script)
    try:
        await connection.execute("set search_path = evil, public, pg_catalog")
        [one] = await advise(connection, [Statement("select note from t where a = 7")])
        assert one.definition.relation == "public.t"
    finally:
        await connection.close()


async def test_views_are_seen_through(debian_dsn: str) -> None:
    connection = await made(
        debian_dsn,
        f"create table t as {ROWS}; create view v as select a as b, note from t; create view w as select * from v",
    )
    try:
        report = await consult(connection, [Statement("select note from w where b = 7")])
        assert keys(report.advice)[0].startswith("t (a)")
    finally:
        await connection.close()


async def test_a_partitioned_table_gets_the_index_of_all_partitions(debian_dsn: str) -> None:
    parts = "".join(
        f"create table p{n} partition of p for values from ({n * 5000}) to ({(n + 1) * 5000});" for n in range(5)
    )
    connection = await made(
        debian_dsn, f"create table p (id int, a int, note text) partition by range (id); {parts} insert into p {ROWS}"
    )
    try:
        [one] = await advise(connection, [Statement("select note from p where a = 7")], budget=600_000)
        assert keys([one]) == ["p (a)"]
        assert one.partitions == 5
        assert "concurrently" not in create(one)
        await connection.execute(one.definition.sql("made"))
        real = await connection.fetchval("select sum(pg_relation_size(relid))::bigint from pg_partition_tree('made')")
        assert 0.7 < one.bytes / real < 1.5
    finally:
        await connection.close()


async def test_foreign_temporary_and_small_tables_are_left_alone_with_a_reason(debian_dsn: str) -> None:
    connection = await made(
        debian_dsn,
        "create extension file_fdw; create server files foreign data wrapper file_fdw",
        "create foreign table f (a int) server files options (filename '/dev/null')",
        f"create temporary table u as {ROWS}; create table small (a int)",
    )
    try:
        report = await consult(
            connection, [Statement(f"select 1 from {name} where a = 7") for name in ("f", "u", "small")]
        )
        assert report.advice == []
        reasons = " ".join(report.refused.values())
        assert "foreign" in reasons
        assert "temporary" in reasons
        assert "small" in reasons
    finally:
        await connection.close()


async def test_very_many_tables_are_no_more_work_than_the_ones_that_are_asked(debian_dsn: str) -> None:
    many = "do $$ begin for i in 1..5000 loop execute format('create table m%s (a int)', i); end loop; end $$"
    connection = await asyncpg.connect(debian_dsn)
    try:
        for first in range(0, TABLES, 1000):
            await connection.execute(many.replace("1..5000", f"{first + 1}..{min(first + 1000, TABLES)}"))
        await connection.execute(f"create table t as {ROWS}; analyze t")
        report = await consult(connection, [Statement("select note from t where a = 7")])
        assert len(report.advice) == 1
        assert report.seconds < 10
    finally:
        await connection.close()


async def test_a_table_that_was_never_analysed(debian_dsn: str) -> None:
    connection = await asyncpg.connect(debian_dsn)
    try:
        await connection.execute(f"create table t as {ROWS}")
        assert len(await advise(connection, [Statement("select note from t where a = 7")])) == 1
    finally:
        await connection.close()


async def test_a_locked_table_does_not_make_it_wait(debian_dsn: str) -> None:
    connection = await made(debian_dsn, f"create table t as {ROWS}", f"create table other as {ROWS}")
    locker = await asyncpg.connect(debian_dsn)
    try:
        async with locker.transaction():
            await locker.execute("lock table t in access exclusive mode")
            report = await consult(connection, [Statement(f"select note from {n} where a = 7") for n in ("t", "other")])
        assert "lock timeout" in report.skipped[0]
        assert len(report.advice) == 1
    finally:
        await connection.close()
        await locker.close()


async def test_a_gin_index_that_is_there_is_not_suggested_again(debian_dsn: str) -> None:
    connection = await made(debian_dsn, f"create table t as {ROWS}", "alter table t add words text[] default '{a}'")
    statement = Statement("select note from t where words @> array['b']")
    try:
        assert keys(await advise(connection, [statement])) == ["t using gin (words)"]
        await connection.execute("create index on t using gin (words)")
        assert await advise(connection, [statement]) == []
    finally:
        await connection.close()
