"""The snapshot: names, digests and closures, from a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from galvo_cache.analysis import Everything, Read, Refused, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog

SCHEMA = Path(__file__).with_name("oracle_schema.sql").read_text()


def _with(dsn: str, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(SCHEMA)
            await work(connection)
        finally:
            await connection.close()

    asyncio.run(run())


async def _load(connection: asyncpg.Connection) -> Catalog:
    return Catalog.load(await connection.fetchval(CATALOG_SQL))


def test_names_resolve_as_the_server_resolves_them(dsn: str) -> None:
    names = ["customer", "other.customer", '"Lone"', "lone", '"select"', '"a""b.c"', '"таблица"', "pg_class", "x"]
    paths = ["public", "other, public", "public, other", '"$user", public', "missing, other", "public, pg_catalog"]

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute("create table public.pg_class (id int); create schema postgres")
        await connection.execute("create table postgres.customer (id int)")
        for path in paths:
            await connection.execute(f"set search_path = {path}")
            catalog = await _load(connection)
            for name in names:
                real = await connection.fetchval("select to_regclass($1)::oid::int8", name)
                schema, _, table = name.rpartition("." if '"' not in name else "\0")
                table = table.removeprefix('"').removesuffix('"').replace('""', '"')
                found = catalog.resolve(schema or None, table)
                assert (found.oid if found else None) == real, (path, name)

    _with(dsn, work)


def test_the_digest_is_stable_under_data_and_statistics(dsn: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        before = (await _load(connection)).digest
        await connection.execute("insert into lone values (99); delete from orders; truncate line")
        await connection.execute("analyze")
        await connection.execute("vacuum")
        assert (await _load(connection)).digest == before

    _with(dsn, work)


CHANGES = [
    "create table fresh (id int)",
    "drop table line",
    "alter table lone add column c int",
    "alter table lone rename column a to z",
    "alter table lone alter column a type bigint",
    "alter table lone rename to lonely",
    "alter type mood rename value 'ok' to 'fine'",
    "alter type mood add value 'new'",
    "create trigger t after insert on lone for each row execute function audit()",
    "create rule r as on delete to lone do also nothing",
    "create function lower(int) returns int language sql as 'select 1'",
    "create or replace function sly(x int) returns int language sql immutable as 'select x + 1'",
    "alter table plainref drop constraint plainref_customer_id_fkey",
    "alter table lone enable row level security",
    "alter table lone alter column a set default writer(1)",
    "create index on lone (sly(a))",
    "revoke all on lone from current_user",
    "create table child () inherits (lone)",
    "create cast (pair as int) with function row_int",
    "set search_path = other",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_moves_with_the_catalog(dsn: str, change: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute("create function row_int(pair) returns int language sql stable as 'select 1'")
        before = (await _load(connection)).digest
        await connection.execute(change.replace("row_int", "row_int(pair)"))
        assert (await _load(connection)).digest != before

    _with(dsn, work)


HAZARDS = {
    "create cast (pair as int) with function f(pair)": "user_cast",
    "create cast (text as timestamptz) with inout as implicit": "user_cast",
    "create operator = (leftarg = pair, rightarg = int, function = g)": "user_operator",
    "create operator class c for type pair using btree as function 1 h(pair, pair)": "user_operator_class",
    "alter database %s set standard_conforming_strings = off": "standard_conforming_strings",
}


@pytest.mark.parametrize("ddl", HAZARDS)
def test_code_that_nobody_names_stops_the_cache(dsn: str, ddl: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute("""
            create function f(pair) returns int language sql stable as 'select 1';
            create function g(pair, int) returns bool language sql volatile as 'select true';
            create function h(pair, pair) returns int language sql stable as 'select 1';
        """)
        if "%s" in ddl:
            await connection.execute("set standard_conforming_strings = off")
        else:
            await connection.execute(ddl)
        catalog = await _load(connection)
        assert catalog.hazard == HAZARDS[ddl]
        assert isinstance(analyse("select * from lone", catalog), Refused)
        assert isinstance(analyse("insert into lone values (1)", catalog), Everything)

    _with(dsn, work)


def test_a_temporary_table_shadows_in_its_session(dsn: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute("create temp table lone (id int)")
        assert analyse("select * from lone", await _load(connection)) == Refused("temporary_table", "lone")
        other = await asyncpg.connect(dsn)
        try:
            assert isinstance(analyse("select * from lone", await _load(other)), Read)
        finally:
            await other.close()

    _with(dsn, work)


def test_an_overload_of_the_user_poisons_the_name(dsn: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        assert isinstance(analyse("select lower(b) from lone", await _load(connection)), Read)
        await connection.execute("create function other.lower(int) returns int language sql as 'select 1'")
        assert analyse("select lower(b) from lone", await _load(connection)) == Everything(
            "user_function", detail="lower()"
        )

    _with(dsn, work)


def test_extensions_in_c_do_not_stop_writes(dsn: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        if not await connection.fetchval("select count(*) from pg_available_extensions where name = 'vector'"):
            pytest.skip("no pgvector here")
        await connection.execute("create extension vector; create table emb (id int, v vector(3))")
        await connection.execute("create index on emb using hnsw (v vector_l2_ops)")
        catalog = await _load(connection)
        table = catalog.resolve(None, "emb")
        assert table is not None
        assert table.write_closure == {table.oid}
        assert analyse("select id from emb order by v <-> $1 limit 5", catalog) == Read(frozenset({table.oid}))
        assert analyse("select l2_distance(v, v) from emb", catalog) == Refused("extension_function", "l2_distance()")

    _with(dsn, work)
