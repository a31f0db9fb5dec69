"""37 to 40: code that writes, texts that look like it, raw paths, and DDL."""

from __future__ import annotations

import pytest

from tests.plugins.cache.situations.situation import connected, two
from tests.plugins.cache.stand import JOBS, LOG, PRICE, RAISE

pytestmark = pytest.mark.anyio


CODE = """
create function raise_all() returns int language sql as 'update material set price = price + 1; select 1';
create function raise_pl(n numeric) returns void language plpgsql as
    $$ begin execute format('update %I set price = price + $1', 'material') using n; end $$;
create procedure raise_twice() language plpgsql as
    $$ begin update material set price = price + 1; commit; update material set price = price + 1; end $$;
create function raise_stable() returns int stable language plpgsql as $$ begin return raise_all(); end $$;
create aggregate raising(int) (sfunc = raise_agg, stype = int);
""".replace(
    "create aggregate",
    "create function raise_agg(int, int) returns int language plpgsql as"
    " $$ begin update material set price = price + 1; return $2; end $$; create aggregate",
)


@pytest.mark.parametrize(
    "write",
    [
        "do $$ begin update material set price = 9; end $$",
        "call raise_twice()",
        "select raise_all()",
        "select * from raise_all()",
        "select raise_pl(3)",
        "select id from material where raise_all() = 1 limit 1",
        "select raising(id) from job",
        "select (select raise_all())",
        "insert into log(line) values (raise_all()::text)",
        "select 1 from job order by raise_all() limit 1",
    ],
)
async def test_37_code_that_writes(dsn: str, write: str) -> None:
    """DO, CALL and functions called from SELECT, at each call."""
    async with two(dsn, CODE) as s:
        for _ in range(2):
            await s.kept("select * from material")
            await s.kernel.fetch(write)
            await s.right("select * from material")
            await s.right(LOG)
        await s.kept("select * from material")


async def test_37_prepare_and_execute(dsn: str) -> None:
    """What EXECUTE runs was said before, perhaps in another text."""
    async with two(dsn, CODE) as s:
        async with s.kernel.acquire() as session:
            await session.execute("prepare up(int) as update material set price = price + $1")
            for _ in range(2):
                await s.kept(PRICE, 1)
                await session.execute("execute up(5)")
                await s.right(PRICE, 1)
            await session.execute("deallocate all")
        await s.kept(PRICE, 1)


async def test_37_a_declared_function_flushes_only_its_tables(dsn: str) -> None:
    """raise_all writes material, and nothing else."""
    async with two(dsn, CODE, cache={"effects": {"public.raise_all": ["public.material"]}}) as s:
        await s.kept(LOG)
        for _ in range(2):
            await s.kept(PRICE, 1)
            await s.kernel.fetch("select raise_all()")
            await s.kept(PRICE, 1)
        await s.still_kept(LOG)


async def test_38_words_that_look_like_writes(dsn: str) -> None:
    """A column `updated_at`, a table "delete", a text 'drop table log' are reads, and forget nothing."""
    setup = """create table "delete"(id int, updated_at date, "insert" text);
               insert into "delete" values (1, '2026-01-01', 'x');"""
    async with two(dsn, setup) as s:
        await s.kept(LOG)
        for sql in (
            "select updated_at from \"delete\"", "select \"insert\" from \"delete\" where id = 1 -- drop table log",
            "select id as truncate from \"delete\" where \"insert\" <> 'delete from log'",
            "with \"update\" as (select 1 as set) select set from \"update\"",
            "select 'alter table log' from \"delete\"",
        ):  # fmt: skip
            await s.kept(sql)
            await s.still_kept(LOG)


async def test_39_bulk_and_raw_paths(dsn: str) -> None:
    """executemany, scripts, raw statements in a session and RETURNING all pass the cache."""
    async with two(dsn) as s:
        await s.kept(LOG)
        asked = "select price from material where id = 1"
        await s.kept(asked)
        await s.kernel.executemany("update material set price = $1 where id = $2", [(7, 1), (8, 1)])
        assert await s.kept(asked) == [(8,)]
        await s.still_kept(LOG)
        await s.write("select 1; update material set price = 9 where id = 1; select 2")
        assert await s.kept(asked) == [(9,)]
        async with s.kernel.acquire() as session:
            await session.execute("UPDATE ONLY public.material AS m SET price = 10 WHERE m.id = 1")
            assert await s.kept(asked) == [(10,)]
            await session.executemany("update material set price = $1 where id = 1", [(11,)])
            assert await s.kept(asked) == [(11,)]
            await session.execute("begin; update material set price = 12; commit")
            assert await s.kept(asked) == [(12,)]
        assert await s.kernel.fetchval("update material set price = 13 where id = 1 returning price") == 13
        assert await s.kept(asked) == [(13,)]


DDL = [
    "alter table material add column extra int default 7",
    "alter table material alter price type text",
    "alter table material rename to old; create table material(id int, name text, price numeric)",
    "alter table material rename price to cost",
    "alter table material drop column price cascade",
    "drop table material cascade",
    "drop table job, log",
    "create index on material(name); reindex table material; analyze material",
    "alter table material alter name type varchar(1) using left(name, 1)",
    "alter table material alter price set default 3; insert into material(id, name, tags) values (9, 'm9', '{}')",
    "alter table job disable trigger all; delete from material where id = 1",
    "create table other as select * from material; drop table material cascade; alter table other rename to material",
    "alter table material add column twice numeric generated always as (price * 2) stored;"
    "update material set price = 3",
    "create schema attic; alter table material set schema attic",
    "comment on table material is 'x'",
]


@pytest.mark.parametrize("ddl", DDL)
@pytest.mark.parametrize("transaction", [False, True])
async def test_40_ddl(dsn: str, ddl: str, transaction: bool) -> None:
    """DROP, ALTER and CREATE, on their own and in a transaction that others do not see before COMMIT."""
    asked = ("select * from material", "select price::text from material", "select count(*) from material", JOBS, LOG)
    async with two(dsn) as s:
        for sql in asked:
            await s.kept(sql)
        if transaction:
            async with s.kernel.transaction() as session:
                await session.execute(ddl)
            await s.reconnect()
        else:
            await s.write(ddl)
            await s.reconnect()
        async with connected(dsn) as s.other:
            for sql in asked:
                await s.right(sql)
            await s.write("create table if not exists log(id int, line text); insert into log(line) values ('after')")
            await s.kept(LOG)


@pytest.mark.parametrize(
    "ddl, sql",
    [
        ("create function public.upper(varchar) returns text immutable language sql as $$ select 'mine' $$",
         "select upper(v) from thing"),
        ("create function public.near(int, int) returns bool immutable language sql as 'select true';"
         "create operator public.= (leftarg = text, rightarg = varchar, function = same)",
         "select id from thing where t = v"),
        ("create function public.as_text(pair) returns text immutable language sql as $$ select 'mine' $$;"
         "create cast (pair as text) with function as_text(pair) as implicit", "select p::text from thing"),
        ("create function public.name(thing) returns text immutable language sql as $$ select 'field' $$",
         "select thing.name from thing"),
    ],
)  # fmt: skip
async def test_40_new_code_changes_what_a_text_means(dsn: str, ddl: str, sql: str) -> None:
    """CREATE FUNCTION, OPERATOR and CAST may win over what was chosen before."""
    setup = """create type pair as (a int, b int);
               create table thing(id int, v varchar, t text, p pair); insert into thing values (1, 'v', 'w', (1, 2));
               create function same(text, varchar) returns bool immutable language sql as 'select true';"""
    async with two(dsn, setup) as s:
        await s.right(sql)
        await s.write(ddl)
        await s.reconnect()
        async with connected(dsn) as s.other:
            await s.right(sql)
            await s.write("update material set price = 3")
            await s.right(sql)


async def test_40_after_ddl_all_is_kept_again(dsn: str) -> None:
    """One schema change does not end the caching."""
    async with two(dsn) as s:
        await s.kept(PRICE, 1)
        await s.write("create index on material(name)")
        await s.kept(PRICE, 1)
        await s.write(RAISE, 1)
        await s.kept(PRICE, 1)
