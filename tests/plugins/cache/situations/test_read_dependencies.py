"""23 to 31: relations that an answer depends on and that its text does not name."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from galvo_embedded import Servers
from tests.plugins.cache.situations.situation import LOST, answer, names, two, until
from tests.plugins.cache.stand import JOBS, LOG

pytestmark = pytest.mark.anyio

LINE = "insert into log(line) values ('x')"
VIEWS = """
create view cheap as select id, name, price from material where price < 5;
create view cheaper as select c.id, c.name, j.id as job from cheap c left join job j on j.material = c.id;
create view recent as select m.id, now() as at from material m;
create view older as select id, at from recent;
create view by_function as select id, clock() as at from material;
""".replace(
    "create view by_function",
    "create function clock() returns timestamptz volatile language sql as 'select clock_timestamp()';"
    "create view by_function",
)
OF_VIEWS = (
    "select * from cheap", "select * from cheaper", "select count(*) from cheaper where job is not null",
    "with c as (select * from cheap) select count(*) from c", "select m.id from material m join cheap c on c.id = m.id",
)  # fmt: skip


async def test_23_views_of_views(dsn: str) -> None:
    """A write to what a view reads, at any depth, changes the answer."""
    async with two(dsn, VIEWS) as s:
        for write in (
            "update material set price = 4.5 where id = 4", "insert into job values (9, 1)",
            "delete from material where id = 2", "insert into material values (7, 'm7', 1, '{}')",
        ):  # fmt: skip
            for sql in OF_VIEWS:
                await s.right(sql)
            await s.write(write)
            for sql in OF_VIEWS:
                await s.right(sql)


async def test_23_views_are_kept(dsn: str) -> None:
    """And they survive writes to what they do not read."""
    async with two(dsn, VIEWS) as s:
        for sql in OF_VIEWS:
            await s.kept(sql)
        await s.write(LINE)
        for sql in OF_VIEWS:
            await s.still_kept(sql)
        await s.kept("select * from cheap")
        await s.write("insert into job values (8, 1)")
        await s.still_kept("select * from cheap")


async def test_23_a_view_with_a_clock(dsn: str) -> None:
    """now() is in the view, or in a view below, or in a function that it calls."""
    async with two(dsn, VIEWS) as s:
        for view in ("recent", "older", "by_function"):
            for _ in range(3):
                before = await s.other.fetchval("select clock_timestamp()")
                assert await s.kernel.fetchval(f"select at from {view} limit 1") > before
            await s.never_kept(f"select id from {view}")
        await s.kept("select id from material")


async def test_23_a_view_replaced(dsn: str) -> None:
    """CREATE OR REPLACE VIEW, ALTER VIEW, DROP and CREATE under one name."""
    async with two(dsn, VIEWS) as s:
        for ddl in (
            "create or replace view cheap as select id, name, price from material where price < 7",
            "create or replace view cheap as"
            " select id, name, (select count(*) from log)::numeric(9, 2) as price from material",
            "alter view cheap rename to dear; create view cheap as select 1 as id, 'x' as name",
            "drop view cheap; create table cheap as select 3 as id",
        ):
            for sql in OF_VIEWS:
                await s.right(sql)
            await s.write(ddl)
            for sql in OF_VIEWS:
                await s.right(sql)
            await s.write(LINE)
            for sql in OF_VIEWS:
                await s.right(sql)
        await s.kept("select * from cheap")


PARTS = """
create table reading(id int, at date not null, value int) partition by range (at);
create table reading_25 partition of reading for values from ('2025-01-01') to ('2026-01-01');
create table reading_26 partition of reading for values from ('2026-01-01') to ('2027-01-01') partition by list (value);
create table reading_26_a partition of reading_26 for values in (1, 2, 3);
create table reading_26_b partition of reading_26 default;
create table loose(id int, at date not null, value int); insert into loose values (9, '2024-05-05', 9);
insert into reading values (1, '2025-03-03', 1), (2, '2026-03-03', 1), (3, '2026-04-04', 9);
"""
OF_PARTS = tuple(
    f"select id, at, value from {name}"
    for name in ("reading", "reading_25", "reading_26", "reading_26_a", "reading_26_b", "loose", "only reading")
)


@pytest.mark.parametrize(
    "write",
    [
        "insert into reading values (4, '2026-05-05', 2)",
        "insert into reading_26 values (4, '2026-05-05', 2)",
        "insert into reading_26_a values (4, '2026-05-05', 2)",
        "update reading set at = '2026-06-06' where id = 1",
        "update reading set value = 2 where value = 9",
        "update reading_26 set value = 9 where id = 2",
        "update reading_26_a set value = 3",
        "delete from reading where at < '2026-04-01'",
        "delete from reading_26_b",
        "truncate reading_26",
        "alter table reading attach partition loose for values from ('2024-01-01') to ('2025-01-01')",
        "alter table reading detach partition reading_26",
        "drop table reading_25",
        "create table reading_27 partition of reading for values from ('2027-01-01') to ('2028-01-01');"
        "insert into reading_27 values (5, '2027-01-02', 1)",
        "merge into reading r using (values (1)) v(id) on r.id = v.id when matched then update set at = '2026-09-09'",
    ],
)
async def test_24_partitions(dsn: str, write: str) -> None:
    """Read the parent and write a child, read a child and write the parent, and rows that move."""
    async with two(dsn, PARTS) as s:
        for sql in OF_PARTS:
            await s.right(sql)
        await s.write(write)
        for sql in OF_PARTS:
            await s.right(sql)
        await s.write("update reading set id = id + 10")
        for sql in OF_PARTS:
            await s.right(sql)


async def test_24_a_partition_that_comes_and_is_written_directly(dsn: str) -> None:
    """CREATE PARTITION, then INSERT into it by its own name."""
    async with two(dsn, PARTS) as s:
        for year in (27, 28):
            await s.right("select count(*) from reading")
            await s.write(
                f"create table reading_{year} partition of reading"
                f" for values from ('20{year}-01-01') to ('20{year + 1}-01-01')"
            )
            await s.right("select count(*) from reading")
            await s.write(f"insert into reading_{year} values (5, '20{year}-01-02', 1)")
            await s.right("select count(*) from reading")


async def test_24_partitions_are_kept(dsn: str) -> None:
    """A write to one partition leaves answers of another alone."""
    async with two(dsn, PARTS) as s:
        for sql in OF_PARTS:
            await s.kept(sql)
        await s.write(LINE)
        for sql in OF_PARTS:
            await s.still_kept(sql)
        await s.write("insert into reading_25 values (8, '2025-08-08', 1)")
        await s.still_kept(OF_PARTS[3])
        await s.kept(OF_PARTS[0])


HEIRS = """
create table place(id int, name text); create table city(people int) inherits (place);
create table capital(country text) inherits (city); create table note(t text);
create table port(ships int) inherits (place); create table harbour(d int) inherits (city, port);
insert into place values (1, 'p'); insert into city values (2, 'c', 5); insert into capital values (3, 'x', 7, 'fr');
"""
OF_HEIRS = tuple(
    f"select id, name from {name}" for name in ("place", "only place", "city", "only city", "capital", "port")
)


@pytest.mark.parametrize(
    "write",
    [
        "insert into place values (9, 'n')",
        "insert into city values (9, 'n')",
        "insert into capital values (9, 'n')",
        "insert into harbour values (9, 'n')",
        "update place set name = 'u'",
        "update only place set name = 'u'",
        "update city set id = id + 1",
        "delete from place",
        "delete from only city",
        "truncate city",
        "truncate only place",
        "create table hamlet() inherits (place); insert into hamlet values (8, 'h')",
        "alter table capital no inherit city",
        "alter table note add column id int, add column name text, inherit place;insert into note values ('t', 6, 'n')",
    ],
)
async def test_25_inheritance(dsn: str, write: str) -> None:
    """Old-style inheritance, two levels, two parents, and ONLY."""
    async with two(dsn, HEIRS) as s:
        for sql in OF_HEIRS:
            await s.right(sql)
        await s.write(write)
        for sql in OF_HEIRS:
            await s.right(sql)


async def test_25_heirs_are_kept(dsn: str) -> None:
    """`FROM ONLY` depends on its own rows alone."""
    async with two(dsn, HEIRS) as s:
        for sql in OF_HEIRS:
            await s.kept(sql)
        await s.write("insert into capital values (9, 'n')")
        await s.still_kept("select id, name from only place")
        await s.still_kept("select id, name from only city")
        for sql in OF_HEIRS:
            await s.kept(sql)


MATVIEW = """
create materialized view totals as select count(*) as n, sum(price) as total from material;
create unique index on totals (n);
create materialized view of_totals as select n + 1 as n from totals;
"""
OF_MATVIEW = ("select * from totals", "select * from of_totals", "select t.n, m.id from totals t, material m")


async def test_26_a_materialized_view(dsn: str) -> None:
    """It changes with REFRESH, and not before."""
    async with two(dsn, MATVIEW) as s:
        for write in (
            "insert into material values (8, 'm8', 8, '{}')", "refresh materialized view totals",
            "refresh materialized view of_totals", "delete from material where id = 8",
            "refresh materialized view concurrently totals", "refresh materialized view totals with no data",
        ):  # fmt: skip
            for sql in OF_MATVIEW:
                await s.right(sql)
            await s.write(write)
            for sql in OF_MATVIEW:
                await s.right(sql)


async def test_26_it_outlives_writes_to_its_base(dsn: str) -> None:
    """A hit after the base changed is right: the database answers the same."""
    async with two(dsn, MATVIEW) as s:
        await s.kept(OF_MATVIEW[0])
        await s.write("insert into material values (8, 'm8', 8, '{}')")
        await s.still_kept(OF_MATVIEW[0])
        await s.kept(LOG)
        await s.write("refresh materialized view totals")
        await s.still_kept(LOG)
        await s.kept(OF_MATVIEW[0])


async def test_27_catalogs(dsn: str) -> None:
    """pg_catalog, information_schema, and casts to regclass and its kin change with the schema."""
    asked = (
        "select count(*) from pg_class", "select relname from pg_catalog.pg_class where relname = 'fresh'",
        "select table_name from information_schema.tables where table_schema = 'public'",
        "select 'fresh'::regclass::text",
        "select to_regclass('fresh')::text", "select 16384::regclass::text", "select 'fresh_f'::regproc::text",
        "select count(*) from pg_tables where tablename = 'fresh'", "select $1::text::regclass::text",
        "select n from pg_job",
    )  # fmt: skip
    async with two(dsn, "create table pg_job(n int); create schema shop; create table shop.tables(n int);") as s:
        args = [("fresh",) if "$1" in sql else () for sql in asked]
        for ddl in (
            "create table fresh()", "create function fresh_f() returns int language sql as 'select 1'",
            "alter table fresh rename to stale", "insert into pg_job values (1)",
        ):  # fmt: skip
            for sql, arg in zip(asked, args, strict=True):
                await s.right(sql, *arg)
            await s.other.execute("create table beside(); drop table beside")
            await s.write(ddl)
            for sql, arg in zip(asked, args, strict=True):
                await s.right(sql, *arg)
        for sql in asked[:3]:
            await s.never_kept(sql)
        await s.kept("select n from pg_job")
        await s.kept("select count(*) from shop.tables")


async def test_28_foreign_tables(dsn: str) -> None:
    """Nobody tells when they change: refused, on their own, below a partitioned table and below a view.

    The wrapper has no handler (the embedded server comes without contrib), so the reads themselves fail.
    """
    setup = """create foreign data wrapper nothing; create server far foreign data wrapper nothing;
               create foreign table distant(id int) server far; create view seen as select id from distant;
               create table part(id int) partition by range (id);
               create table part_1 partition of part for values from (0) to (9);
               create foreign table part_2 partition of part for values from (9) to (99) server far;
               create table base(id int); create foreign table heir() inherits (base) server far;"""
    async with two(dsn, setup) as s:
        for table in ("distant", "seen", "part", "base"):
            sql = f"select count(*) from {table}"
            assert not (await s.kernel.explain(sql))["cache"]["cacheable"]
            await s.never_kept(sql)
            await s.right(sql)
        await s.kept("select count(*) from material")


async def test_29_an_unlogged_table(dsn: str) -> None:
    """Within the application it is a table like all others."""
    async with two(dsn, "create unlogged table counter(n int); insert into counter values (1);") as s:
        await s.kept("select n from counter")
        await s.write("update counter set n = 2")
        assert await s.kept("select n from counter") == [(2,)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_29_a_crash_empties_unlogged_tables(folder: Path) -> None:
    """One backend dies, the server recovers, all connections are new, and the table is empty."""
    own = Servers(folder, options={"fsync": "off"})
    try:
        dsn = await own.postgres()
        async with two(dsn, "create unlogged table counter(n int); insert into counter values (1);", min_size=2) as s:
            sql = "select n from counter"
            await s.kept(sql)
            os.kill(await s.admin.fetchval("select pg_backend_pid()"), signal.SIGKILL)

            async def recovered() -> bool:
                try:
                    s.other = await asyncpg.connect(dsn)
                    if await s.other.fetch(sql) == []:
                        return True
                except LOST:  # the others may go a moment after the first
                    pass
                s.other.terminate()
                return False

            await until(recovered)

            async def answers() -> bool:  # the lost connections may first be met, and the pause after a refusal
                try:
                    await s.kernel.fetch("select pg_backend_pid()")
                except LOST:
                    return False
                return True

            await until(answers)
            assert await answer(s.kernel.fetch, sql) == await answer(s.other.fetch, sql)
            await s.kept(JOBS)
            await s.other.close()
    finally:
        own.close()
        gc.collect()  # connections that were refused meanwhile leave futures behind


async def test_30_pages_agree(dsn: str) -> None:
    """Page 1 from memory and page 2 fresh would repeat or lose a row; the count and the rows go together too."""
    pages = [f"select id from material where price >= 0 limit 2 offset {offset}" for offset in (0, 2, 4, 6)]
    ordered = [f"select id, name from material order by id desc limit 2 offset {offset}" for offset in (0, 2, 4, 6)]
    async with two(dsn) as s:
        for write in (
            None, "delete from material where id = 1", "insert into material values (9, 'm9', 9, '{}')",
            "delete from job; update material set id = 50 where id = 5",
        ):  # fmt: skip
            if write:
                await s.write(write)
            count = (await s.kept("select count(*) from material"))[0][0]
            for some in (pages, ordered):
                ids = [one for sql in some for one in names(await s.kept(sql))]
                assert len(set(ids)) == len(ids) == count


TYPES = """
create type mood as enum ('sad', 'ok'); create type address as (street text, no int);
create domain short as text check (length(value) < 9);
create table person(id int primary key, m mood, a address, d short);
insert into person values (1, 'sad', ('a', 1), 'd');
"""


@pytest.mark.parametrize(
    "ddl",
    [
        "alter type mood rename value 'sad' to 'blue'",
        "alter type mood add value 'new' before 'ok'",
        "alter type address add attribute zip int",
        "alter type address rename attribute street to road",
        "alter type address drop attribute no",
        "alter domain short add check (value <> 'd') not valid",
        "alter table person alter m type text",
        "alter table person rename m to feeling",
        "drop type mood cascade",
    ],
)
async def test_31_a_type_changes(dsn: str, ddl: str) -> None:
    """ALTER TYPE changes answers without touching a row."""
    asked = (
        "select id, m::text from person", "select (a).street from person", "select a::text from person",
        "select d from person",
        "select id from person where m < 'ok'", "select 'sad'::mood::text", "select to_json(person)::text from person",
    )  # fmt: skip
    async with two(dsn, TYPES) as s:
        for sql in asked:
            await s.right(sql)
        await s.write(ddl)
        await s.reconnect()
        async with two(dsn, schema=None) as fresh:
            for sql in asked:
                expected = await answer(fresh.other.fetch, sql)
                for _ in range(3):
                    assert await answer(s.kernel.fetch, sql) == expected, sql
            s.other = fresh.other
            await s.kept("select id, d from person")
