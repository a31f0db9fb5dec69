"""The snapshot: names, digests and closures, from a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from galvo_cache.analysis import Everything, Read, Refused, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog
from galvo_cache.closures import Verb

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


def _oids(catalog: Catalog, names: str) -> set[int]:
    relations = [catalog.resolve(None, name) for name in names.split()]
    return {relation.oid for relation in relations if relation is not None}


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
    "create or replace view v_sub with (security_barrier) as select id from lone where id in (select id from plainref)",
    "create or replace view v_today as select id, current_timestamp from lone where id > 0",
    "alter view v_sub reset (security_barrier)",
    "alter policy p on secured using (owner = session_user)",
    "alter policy p on secured to postgres",
    "alter table parted detach partition parted_1",
    "alter table derived no inherit base",
    "create unique index on scratch (id)",
    "alter table gen alter column twice drop expression",
    "alter table orders drop constraint orders_customer_id_fkey, add foreign key (customer_id) references customer",
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
        spoilt = analyse("select '\\'', loud() --'", catalog)  # with the backslash, loud() is called
        assert isinstance(spoilt, Everything if "%s" in ddl else Refused)
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
        assert catalog.reach(table.oid, "change") == frozenset({table.oid})
        read = Read(frozenset({table.oid}), columns=frozenset({"id", "v"}))
        assert analyse("select id from emb order by v <-> $1 limit 5", catalog) == read
        assert analyse("select l2_distance(v, v) from emb", catalog) == Refused("extension_function", "l2_distance()")

    _with(dsn, work)


REACH = """
create table p (id int primary key, code text unique, twice int generated always as (id * 2) stored unique, note text);
create table cascades (id int primary key, p int references p on update cascade);
create table by_code (id int primary key, code text unique references p (code) on update cascade);
create table by_twice (id int primary key, p int references p (twice) on update cascade on delete set null);
create table grandchild (code text references by_code (code) on update cascade);
create table restricts (p int references p on update restrict on delete cascade);
create table below (id int primary key, r int);
create table node (id int primary key, parent int references node on delete cascade, name text);
create table a (id int primary key);
create table b (id int primary key references a on delete cascade);
alter table a add foreign key (id) references b deferrable initially deferred;
create table c1 (id int primary key, other int unique);
create table c2 (id int primary key references c1 (other) on delete set null);
alter table c1 add foreign key (other) references c2 on update cascade on delete cascade;
"""
# table, verb, columns -> whose rows may change, and may other rows of the table itself
REACHED: list[tuple[str, Verb, set[str] | None, str, bool]] = [
    ("p", "update", {"note"}, "p by_twice", False),  # a generated column counts as changed
    ("p", "update", {"code"}, "p by_code grandchild by_twice", False),
    ("p", "update", {"id"}, "p cascades by_twice", False),
    ("p", "update", None, "p cascades by_code by_twice grandchild", False),
    ("p", "delete", None, "p by_twice restricts", False),
    ("by_code", "update", {"code"}, "by_code grandchild", False),
    ("by_code", "update", {"id"}, "by_code", False),
    ("node", "update", {"id"}, "node", False),
    ("node", "delete", None, "node", True),
    ("a", "delete", None, "a b", False),
    ("c1", "delete", None, "c1 c2", True),
    ("c1", "update", {"id"}, "c1", False),
    ("c2", "delete", None, "c1 c2", True),
]


def test_foreign_keys_reach_by_action_and_column(dsn: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(REACH)
        catalog = await _load(connection)
        for name, verb, columns, reached, again in REACHED:
            oids = _oids(catalog, reached)
            (oid,) = _oids(catalog, name)
            assert catalog.reach(oid, verb, columns) == frozenset(oids), (name, verb, columns)
            assert catalog.exact(oid, verb, columns) is not again, (name, verb, columns)

    _with(dsn, work)


LANES = """
create collation loose (provider = libc, locale = 'C');
create domain whole as int;
create table keyed (id int primary key, code text unique, late uuid unique deferrable, part int8, twin int2,
  last varchar, h text, body text, num numeric unique, loose text collate loose unique, dom whole unique, brin int,
  up int generated always as (id + 1) stored);
create unique index on keyed (part) where part > 0;
create index on keyed (twin, last);
create unique index on keyed (lower(body));
create unique index on keyed (last) include (twin);
create index on keyed using hash (h);
create index on keyed using brin (brin);
create table parent_table (id int primary key);
create table child_table (primary key (id)) inherits (parent_table);
create table guarded_rows (id int primary key);
alter table guarded_rows enable row level security;
-- not every build has ICU, and only ICU makes these
set allow_system_table_mods = on;
update pg_collation set collisdeterministic = false where collname = 'loose';
"""


def test_lanes_are_the_indexed_columns_with_one_equality(dsn: str) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(LANES)
        catalog = await _load(connection)
        keyed = catalog.resolve(None, "keyed")
        assert keyed is not None
        assert dict(keyed.lanes) == {
            "id": True, "code": True, "late": False, "part": False, "twin": False, "last": True, "h": False
        }  # fmt: skip
        assert keyed.generated == {"up"}
        for name in ("parent_table", "child_table", "guarded_rows"):
            relation = catalog.resolve(None, name)
            assert relation is not None
            assert not relation.lanes, name
        await connection.execute("create function eq(int, text) returns bool immutable language sql return true")
        await connection.execute("create operator = (leftarg = int, rightarg = text, function = eq)")
        keyed = (await _load(connection)).resolve(None, "keyed")
        assert keyed is not None
        assert not keyed.lanes

    _with(dsn, work)
