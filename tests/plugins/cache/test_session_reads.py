"""What sessions read is what their own connection answers, and what they write is noticed, whatever they have set."""

from __future__ import annotations

import asyncpg
import pytest

from tests.plugins.cache.situations.situation import VISITS, Pair, answer, two
from tests.plugins.cache.stand import ALL, JOBS, PRICE

pytestmark = pytest.mark.anyio

AT = "select at::text from visit"
TOKYO = "set_config('TimeZone', 'Asia/Tokyo', false)"
DO = f"begin perform {TOKYO}; "

# how -> what there is, and statements after which the session is in Tokyo
WAYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "set time zone": ("", ("set time zone 'Asia/Tokyo'",)),
    "set session": ("", ("set session timezone = 'Asia/Tokyo'",)),
    "a script": ("", ("select 1; set timezone = 'Asia/Tokyo'; select 2",)),
    "a script with LISTEN": ("", ("set timezone = 'Asia/Tokyo'; listen x",)),
    "a script with COMMIT": ("", ("set timezone to 'Asia/Tokyo'; commit",)),
    "rolled back RESET": ("", ("set timezone = 'Asia/Tokyo'", "begin", "reset timezone", "rollback")),
    "rolled back to": (
        "",
        ("begin", "set timezone = 'Asia/Tokyo'", "savepoint a", "reset timezone", "rollback to a", "commit"),
    ),
    "pg_settings": ("", ("update pg_settings set setting = 'Asia/Tokyo' where name = 'TimeZone'",)),
    "values": ("", (f"values ({TOKYO})",)),
    "a qualified name": ("", (f"select pg_catalog.{TOKYO}",)),
    "a computed name": ("", ("select set_config('Time' || 'Zone', 'Asia/Tokyo', false)",)),
    "a cte": ("", (f"with x as (select {TOKYO}) select * from x",)),
    "lateral": ("", (f"select * from material m, lateral {TOKYO} x",)),
    "where": ("", (f"select id from material where {TOKYO} <> ''",)),
    "returning": ("", (f"insert into log(line) values ('x') returning {TOKYO}",)),
    "merge": (
        "create table d(id int, x text);",
        (f"merge into d using (select {TOKYO} y) s on true when not matched then insert values (1, y)",),
    ),
    "explain analyze": ("", (f"explain analyze select {TOKYO}",)),
    "copy": ("", (f"copy (select {TOKYO}) to '/dev/null'",)),
    "do": ("", (f"do $${DO} end$$",)),
    "prepare and execute": ("", (f"prepare p as select {TOKYO}", "execute p")),
    "explain analyze execute": ("", (f"prepare p as select {TOKYO}", "explain analyze execute p")),
    "create table as": ("", (f"create temp table gone on commit drop as select {TOKYO}",)),
    "fetch": ("", ("begin", f"declare c cursor for select {TOKYO}", "fetch c", "commit")),
    "move": ("", ("begin", f"declare c cursor for select {TOKYO}", "move c", "commit")),
    "a cursor with hold": ("", (f"declare c cursor with hold for select {TOKYO}",)),
    "commit of a cursor with hold": ("", ("begin", f"declare c cursor with hold for select {TOKYO}", "commit")),
    "a function": (f"create function f() returns int language plpgsql as $${DO} return 1; end$$;", ("select f()",)),
    "an immutable function": (
        f"create function f() returns int language plpgsql immutable as $${DO} return 1; end$$;",
        ("select f()",),
    ),
    "an SQL function": (
        f"create function f() returns text language sql begin atomic select {TOKYO}; end;",
        ("select f()",),
    ),
    "an alias of set_config": (
        "create function f(text, text, bool) returns text language internal immutable as 'set_config_by_name';",
        ("select f('TimeZone', 'Asia/Tokyo', false)",),
    ),
    "a procedure": (f"create procedure p() language plpgsql as $${DO} end$$;", ("call p()",)),
    "an operator": (
        f"create function f(text, text) returns int language plpgsql as $${DO} return 1; end$$;"
        "create operator ### (leftarg = text, rightarg = text, procedure = f);",
        ("select 'a' ### 'b'",),
    ),
    "a trigger": (
        f"create function f() returns trigger language plpgsql as $${DO} return new; end$$;"
        "create table d(id int); create trigger t before insert on d for each row execute function f();",
        ("insert into d values (1)",),
    ),
    "a rule": (
        f"create table d(id int); create rule r as on insert to d do also select {TOKYO};",
        ("insert into d values (1)",),
    ),
    "a view": (f"create view v as select {TOKYO} as x;", ("select * from v",)),
    "a default": (f"create table d(id int, x text default {TOKYO});", ("insert into d(id) values (1)",)),
    "a check": (f"create table d(id int, check ({TOKYO} <> ''));", ("insert into d values (1)",)),
    "a domain": (f"create domain d as text check ({TOKYO} <> '');", ("select 'x'::d",)),
    "a domain, in a cast": (
        f"create domain d as text check ({TOKYO} <> '');",
        ("select cast(name as d) from material",),
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_ways_to_tokyo(dsn: str, way: str) -> None:
    setup, orders = WAYS[way]
    async with two(dsn, VISITS + setup) as s:
        await s.kept(AT)
        async with s.session() as pair:
            await pair.right(AT)
            for order in orders:
                await pair.both(order)
            assert await pair.twin.fetchval("show timezone") == "Asia/Tokyo"
            await pair.right(AT)
        await s.right(AT)
        async with s.session() as pair:
            await pair.kept(AT)


# -- writes behind a name that means another thing ---------------------------------------------------

CLEANER = """
create function clean() returns int language plpgsql as $$begin delete from public.job; return 1; end$$;
create schema other; create view other.material as select clean() as id;
"""
IDS = "select id from material"
BACKSLASH = "select 'a\\'' ; delete from job; --'"
"""To the parser one string."""
OTHER = "set search_path = other"
SHADOW = "create temp view material as select clean() as id"
BEHIND: dict[str, tuple[str, ...]] = {
    "a path": (OTHER, f"fetch {IDS}"),
    "a path, execute": (OTHER, IDS),
    "a local path": ("begin", "set local search_path = other", f"fetch {IDS}", "commit"),
    "a path from before": (OTHER, "begin", f"fetch {IDS}", "commit"),
    "what is never kept": (
        "begin", "set local search_path = other", f"fetch {IDS} where now() > '2001-01-01'", "commit",
    ),
    "explain": (OTHER, f"explain analyze {IDS}"),
    "copy": (OTHER, f"copy ({IDS}) to '/dev/null'"),
    "a cursor with hold": (OTHER, f"declare c cursor with hold for {IDS}"),
    "set_config": (OTHER, "fetch select set_config('a.b', id::text, false) from material"),
    "a script": (OTHER, f"{IDS}; select 1"),
    "a prepared statement": (OTHER, f"prepare p as {IDS}", "execute p"),
    "a temporary view": (SHADOW, f"fetch {IDS}"),
    "a temporary view, later": (SHADOW, "begin", f"fetch {IDS}", "commit"),
    "a temporary view, by its schema": (SHADOW, "fetch select id from pg_temp.material"),
    "a path that once led to a temporary table": (
        "create temp table t(id int); drop table t", "set search_path = other, public", f"fetch {IDS}",
    ),
    "a temporary domain": (
        "create domain pg_temp.date as pg_catalog.date check (clean() = 1)", "fetch select '2026-01-01'::date",
    ),
    "a temporary table with a policy": (
        "create role tourist; grant all on all tables in schema public to tourist; set role tourist",
        "create temp table visit(id int); insert into visit values (1); alter table visit enable row level security",
        "alter table visit force row level security", "create policy p on visit using (clean() = 1)",
        "fetch select * from visit",
    ),
    "backslashes": ("set standard_conforming_strings = off", BACKSLASH),
    "local backslashes": ("begin; set local standard_conforming_strings = off", BACKSLASH, "commit"),
}  # fmt: skip


@pytest.mark.parametrize("way", BEHIND)
async def test_a_write_behind_a_name(dsn: str, way: str) -> None:
    """In the session the text reads something else, and that writes."""
    async with two(dsn, CLEANER) as s:
        try:
            async with s.kernel.acquire() as session:
                for order in BEHIND[way]:
                    assert await s.warm(JOBS) == await s.truth(JOBS)  # which loads the catalog, too
                    if order.startswith("fetch "):
                        await session.fetch(order.removeprefix("fetch "))
                    else:
                        await session.execute(order)
            assert await s.truth(JOBS) == 0
            assert await s.fresh(JOBS) == 0
        finally:
            await s.admin.execute(
                "do $$begin if exists (select from pg_roles where rolname = 'tourist') then "
                "drop owned by tourist; drop role tourist; end if; end$$"
            )


async def test_temporary_tables_alone_cost_no_answers(dsn: str) -> None:
    """Nobody writes by reading one."""
    async with two(dsn) as s:
        await s.kept(ALL)
        async with s.session("create temp table scratch(id int)") as pair:
            await pair.right("select * from scratch")
            await s.kept(ALL)
            await pair.right("select * from scratch")
            await pair.right(ALL)
            await pair.both("begin")
            await pair.right(ALL)
            await pair.both("commit")
            await s.still_kept(ALL)


# -- states ------------------------------------------------------------------------------------------


async def test_a_text_is_no_place_of_another_state(dsn: str) -> None:
    """Not even one that is written as the cache writes its places."""
    async with two(dsn, VISITS) as s, s.session("set timezone = 'Asia/Tokyo'") as pair:
        await pair.kept(AT)
        plans = [plan for _, plan in s.kernel.find_capability("cache")._plans if plan.text.endswith(AT)]
        texts = {plan.text for plan in plans} - {AT}
        assert texts
        for text in texts:
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
                await s.kernel.fetch(text)


async def test_an_encoding_that_lacks_a_letter(dsn: str) -> None:
    """The server refuses to send it."""
    asked = "select line from log"
    async with two(dsn, "insert into log(line) values ('€');") as s:
        await s.kept(asked)
        async with s.session("set client_encoding = 'LATIN1'") as pair:
            assert await pair.right(asked) == []
        await s.still_kept(asked)


HIDING = """
create schema trap;
create function trap.current_schemas(boolean) returns name[] language sql as $$select array['public']::name[]$$;
create function trap.current_setting(text, boolean) returns text language sql as $$select 'UTC'::text$$;
create function trap.current_setting(text) returns text language sql as $$select 'on'::text$$;
create function trap.unnest(text[]) returns setof text language sql as $$select null::text$$;
create function trap.eq(oid, oid) returns boolean language sql as 'select false';
create function trap.ne(text, text) returns boolean language sql as 'select false';
create operator trap.= (leftarg = oid, rightarg = oid, procedure = trap.eq);
create operator trap.<> (leftarg = text, rightarg = text, procedure = trap.ne);
create domain trap.text as pg_catalog.text; create domain trap.name as pg_catalog.name;
create table trap.pg_class(relnamespace oid); create table trap.pg_type(typnamespace oid);
create table trap.visit(at text); insert into trap.visit values ('trapped');
"""


@pytest.mark.parametrize("path", ["trap, pg_catalog, public", "trap, public, pg_catalog", "pg_temp, trap, pg_catalog"])
async def test_a_path_that_hides_what_the_question_is_made_of(dsn: str, path: str) -> None:
    async with two(dsn, VISITS + HIDING) as s:
        plain = await s.right(AT)
        async with s.session(f"set search_path = {path}", "set timezone = 'Asia/Tokyo'") as pair:
            assert await pair.right(AT) == [("trapped",)]
            assert await pair.right("select at::pg_catalog.text from public.visit") != plain
            await pair.both("create temp table visit(at text)")
            await pair.right(AT)
        assert await s.right(AT) == plain


async def test_schemas_come_and_go_under_a_session(dsn: str) -> None:
    """The search_path stays, and leads elsewhere."""
    async with two(dsn, min_size=2) as s, s.session("set search_path = late, public") as pair:
        await pair.right(PRICE, 1)
        for ddl in (
            "create schema late", "create table late.material as table public.material",
            "update late.material set price = 77", "alter schema late rename to gone",
            "alter schema gone rename to late", "drop table late.material", "drop schema late",
        ):  # fmt: skip
            await s.write(ddl)
            await pair.right(PRICE + f" /* {ddl} */", 1)
        await s.kept(PRICE, 1)
        await pair.kept(PRICE, 1)


async def test_one_pair_through_many_states(dsn: str) -> None:
    """Back in a state, a session finds its answers again, and no others."""
    setup = VISITS + CLEANER + "create table other.visit as select id, at + interval '1 day' as at from visit;"
    orders = (
        "set timezone = 'Asia/Tokyo'", "reset timezone", "set search_path = other", "set local search_path = public",
        "set search_path = public", "create temp table visit(at text)", "discard temp",
        "begin", "set timezone = 'Asia/Tokyo'", "rollback", "select 1 / 0", "set nonsense = 1", "reset all",
    )  # fmt: skip
    async with two(dsn, setup) as s:
        await s.kept(AT)
        async with s.session() as pair:
            for order in orders:
                for who in (pair.session, pair.twin):
                    try:
                        await who.execute(order)
                    except asyncpg.PostgresError:
                        assert order in ("select 1 / 0", "set nonsense = 1")
                await same(pair)
                await s.right(AT)


async def same(pair: Pair) -> None:
    assert await answer(pair.session.fetch, AT) == await answer(pair.twin.fetch, AT)
    assert await answer(pair.session.fetch, AT) == await answer(pair.twin.fetch, AT)
