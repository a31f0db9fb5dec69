"""32 to 36: what a write changes that its text does not name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.cache.situations.situation import two
from tests.plugins.cache.stand import JOBS, LOG, PRICE

pytestmark = pytest.mark.anyio


LINE = "insert into log(line) values ('x')"
FAMILY = """
create table parent(id int primary key, code text unique, name text);
create table cascaded(id int primary key, parent int references parent on delete cascade on update cascade);
create table nulled(id int primary key, parent int references parent on delete set null on update set null);
create table defaulted(id int, parent int default 1 references parent on delete set default on update set default);
create table coded(id int primary key, code text references parent(code) on update cascade on delete set null (code));
create table grandchild(id int, c int references cascaded on delete cascade,
  n int references nulled on delete set null);
create table itself(id int primary key, above int references itself on delete cascade);
insert into parent select g, 'c' || g, 'n' || g from generate_series(1, 4) g;
insert into cascaded select g, g from generate_series(1, 4) g;
insert into nulled select g, g from generate_series(1, 4) g;
insert into defaulted select g, g from generate_series(1, 4) g;
insert into coded select g, 'c' || g from generate_series(1, 4) g;
insert into grandchild select g, g, g from generate_series(1, 4) g;
insert into itself values (1, null), (2, 1), (3, 2), (4, null);
"""
RELATIVES = tuple(
    f"select * from {name}"
    for name in ("parent", "cascaded", "nulled", "defaulted", "coded", "grandchild", "itself", "itself where above = 2")
)


@pytest.mark.parametrize(
    "write",
    [
        "delete from parent where id = 2",
        "delete from parent where id > 1",
        "update parent set id = id + 100 where id = 3",
        "update parent set code = 'new' where id = 3",
        "update parent set (name, code) = ('n', 'other') where id = 2",
        "insert into parent(id, code) values (3, 'x') on conflict (id) do update set code = 'y', id = 33",
        "merge into parent p using (values (2), (3)) v(id) on p.id = v.id when matched and p.id = 2 then delete"
        " when matched then update set id = 300",
        "delete from cascaded where id = 4",
        "delete from nulled where id = 4",
        "delete from itself where id = 1",
        "with gone as (delete from parent where id = 2 returning id) select * from gone",
    ],
)
async def test_32_foreign_keys_act(dsn: str, write: str) -> None:
    """CASCADE, SET NULL, SET DEFAULT on DELETE and on UPDATE, over two levels and onto itself."""
    async with two(dsn, FAMILY) as s:
        for sql in RELATIVES:
            await s.kept(sql)
        await s.kept(LOG)
        await s.kernel.fetch(write)
        for sql in RELATIVES:
            await s.kept(sql)
        await s.still_kept(LOG)


async def test_32_an_update_of_other_columns_reaches_no_child(dsn: str) -> None:
    """Only the referenced columns cascade."""
    async with two(dsn, FAMILY) as s:
        for sql in RELATIVES:
            await s.kept(sql)
        await s.write("update parent set name = 'x' where id = 1")
        for sql in RELATIVES[1:]:
            await s.still_kept(sql)
        await s.write("insert into parent values (9, 'c9', 'n9')")
        for sql in RELATIVES[1:]:
            await s.still_kept(sql)


TRIGGERS = """
create table audit(what text); create table tally(n int); insert into tally values (0);
create table quiet(id int primary key); create table base(id int primary key, n int); insert into base values (1, 1);
create function note() returns trigger language plpgsql as
    $$ begin insert into audit values (tg_op); return coalesce(new, old); end $$;
create function count_up() returns trigger language plpgsql as
    $$ begin execute 'update tally set n = n + 1'; return null; end $$;
create trigger note after insert or update or delete on material for each row execute function note();
create constraint trigger late after update on job deferrable initially deferred
  for each row execute function count_up();
create trigger statement after truncate on quiet for each statement execute function count_up();
create rule also as on insert to base do also update tally set n = n + 10;
create rule swap as on delete to base do instead update tally set n = n + 100;
"""
SEEN = ("select * from audit", "select * from tally", "select * from base", "select count(*) from material", JOBS)


@pytest.mark.parametrize(
    "write",
    [
        "insert into material values (9, 'm9', 9, '{}')",
        "update material set price = 9",
        "delete from material where id = 1",
        "update job set material = 2 where id = 3",
        "truncate quiet",
        "insert into base values (2, 2)",
        "delete from base",
        "begin; update job set material = 2 where id = 3; commit",
        "insert into material values (1, 'm9', 9, '{}') on conflict (id) do update set price = 0",
    ],
)
async def test_33_triggers_and_rules(dsn: str, write: str) -> None:
    """Row and statement triggers, dynamic SQL in them, constraint triggers, DO ALSO and DO INSTEAD."""
    async with two(dsn, TRIGGERS) as s:
        for sql in SEEN:
            await s.kept(sql)
        await s.write(write)
        for sql in SEEN:
            await s.kept(sql)


async def test_33_a_trigger_that_fires_at_commit(dsn: str) -> None:
    """Deferred, it changes another table when the COMMIT comes."""
    async with two(dsn, TRIGGERS) as s:
        await s.kept(SEEN[1])
        async with s.kernel.transaction() as session:
            await session.execute("update job set material = 2 where id = 3")
            assert await s.kept(SEEN[1]) == [(0,)]
        assert await s.kept(SEEN[1]) == [(1,)]
        async with s.kernel.transaction() as session:
            await session.execute("update job set material = 3 where id = 3")
            await session.execute("set constraints all immediate")
            assert await s.right(SEEN[1]) == [(1,)]
        assert await s.kept(SEEN[1]) == [(2,)]


async def test_33_a_table_without_triggers_flushes_nothing(dsn: str) -> None:
    """Triggers elsewhere do not make every write unknown."""
    async with two(dsn, TRIGGERS) as s:
        for sql in SEEN:
            await s.kept(sql)
        await s.write(LINE)
        for sql in SEEN:
            await s.still_kept(sql)


async def test_33_a_declared_trigger_flushes_only_its_tables(dsn: str) -> None:
    """`note` writes audit, and nothing else."""
    async with two(dsn, TRIGGERS, cache={"effects": {"public.note": ["public.audit"]}}) as s:
        for sql in (*SEEN, LOG):
            await s.kept(sql)
        await s.write("update material set price = 9")
        for sql in (SEEN[1], SEEN[2], LOG):
            await s.still_kept(sql)
        for sql in SEEN:
            await s.kept(sql)


UPDATABLE = """
create view cheap as select id, name, price, tags from material where price < 5 with local check option;
create view cheaper as select id, name as title, price from cheap;
create view pairs as select m.id, j.id as job from material m join job j on j.material = m.id;
create function into_log() returns trigger language plpgsql as
    $$ begin insert into log(line) values (tg_op); return new; end $$;
create trigger instead instead of update on pairs for each row execute function into_log();
"""
OF_UPDATABLE = (
    "select * from material", "select * from cheap", "select * from cheaper", "select * from pairs", JOBS, LOG,
)  # fmt: skip


@pytest.mark.parametrize(
    "write",
    [
        "insert into cheap values (7, 'm7', 1, '{}')",
        "update cheap set price = 4.9 where id = 1",
        "update cheaper set title = 't'",
        "delete from cheaper where id = 3",
        "update pairs set job = 1 where id = 1",
    ],
)
async def test_34_updatable_views(dsn: str, write: str) -> None:
    """A write to a view changes its base tables, or what an INSTEAD OF trigger likes."""
    async with two(dsn, UPDATABLE) as s:
        for sql in OF_UPDATABLE:
            await s.right(sql)
        await s.write(write)
        for sql in OF_UPDATABLE:
            await s.right(sql)
        await s.kept(OF_UPDATABLE[0])


async def test_34_a_view_without_triggers_is_its_table(dsn: str) -> None:
    """An update through it leaves unrelated answers alone."""
    async with two(dsn, UPDATABLE) as s:
        await s.kept(LOG)
        await s.write("update cheaper set title = 't'")
        await s.still_kept(LOG)


def readable(file: Path, text: str) -> Path:
    """A file that the server may read, whoever it runs as."""
    file.write_text(text)
    file.chmod(0o644)
    file.parent.chmod(0o755)
    return file


async def test_35_truncate_copy_merge_upsert(dsn: str, folder: Path) -> None:
    """TRUNCATE CASCADE, COPY FROM, MERGE and ON CONFLICT DO UPDATE are writes, and only of their tables."""
    file = readable(folder / "rows", "7\tm7\t7\t{}\n")
    asked = ("select * from material", PRICE.replace("$1", "1"), "select count(*) from material", JOBS)
    async with two(dsn) as s:
        for write in (
            f"copy material from '{file}'",
            "merge into material m using (values (1), (8)) v(id) on m.id = v.id when matched then update set price = 0"
            " when not matched then insert values (v.id, 'm8', 8, '{}')",
            "insert into material values (1, 'm1', 5, '{}') on conflict (id) do update set price = excluded.price",
            "insert into material values (1, 'm1', 6, '{}') on conflict do nothing",
            "with n as (insert into material values (1, 'm1', 6, '{}') on conflict (id) do update set price = 2"
            " returning price) select * from n",
            "truncate material cascade",
        ):
            for sql in (*asked, LOG):
                await s.kept(sql)
            await s.write(write)
            for sql in asked:
                await s.kept(sql)
            await s.still_kept(LOG)
        await s.write("copy log(line) from program 'echo x'")
        assert await s.kept(LOG) == [(1,)]


@pytest.mark.parametrize(
    "write",
    [
        "with w as (update material set price = 9 returning id) select count(*) from w",
        "with w as (insert into log(line) values ('x')) select 1",
        "with a as (select 1), b as (delete from job returning *) select * from a, (select * from b) c",
        "explain analyze update material set price = 9",
        "explain (analyze, costs off) with w as (delete from job returning 1) select * from w",
        "explain (analyze true) insert into log(line) values ('x')",
        "/* select */ with recursive w as (update material set price = 9 returning id) select * from w",
        "create table copied as with w as (delete from job returning *) select * from w",
    ],
)
async def test_36_a_select_that_writes(dsn: str, write: str) -> None:
    """Data-modifying CTEs and EXPLAIN ANALYZE, read with fetch, each run every time."""
    asked = ("select * from material", JOBS, LOG)
    async with two(dsn) as s:
        for sql in asked:
            await s.kept(sql)
        await s.kernel.fetch(write)
        for sql in asked:
            await s.kept(sql)
        if "create" not in write:
            await s.never_kept(write)
            for sql in asked:
                await s.right(sql)


async def test_36_explain_alone_writes_nothing(dsn: str) -> None:
    """Without ANALYZE nothing is run, so nothing is forgotten."""
    async with two(dsn) as s:
        await s.kept(PRICE, 1)
        await s.never_kept("explain update material set price = 9")
        await s.never_kept("explain analyze select * from material")
        await s.still_kept(PRICE, 1)


STAMPED = """
create table page(id int primary key, title text, changed int not null default 0);
insert into page values (1, 'a'), (2, 'b');
create function stamp() returns trigger language plpgsql as
    $$ begin new.changed = old.changed + 1; if new.title = 'move' then new.id = new.id + 50; end if; return new; end $$;
create function number() returns trigger language plpgsql as $$ begin new.id = new.id + 100; return new; end $$;
create trigger stamp before update on page for each row execute function stamp();
create trigger number before insert on page for each row execute function number();
"""


@pytest.mark.parametrize(
    "effects",
    [
        None,
        {"public.stamp": [], "public.number": []},
        {"public.stamp": ["public.page"], "public.number": ["public.page"]},
    ],
)
async def test_33_a_trigger_that_changes_the_row_it_is_for(dsn: str, effects: dict[str, list[str]] | None) -> None:
    """`before` triggers set columns, and keys, that the statement does not name; also where they are declared."""
    one, changed = "select title from page where id = $1", "select changed from page where id = $1"
    async with two(dsn, STAMPED, cache={"effects": effects} if effects else None) as s:
        for number in range(4):
            for key in (1, 51, 101, 102, 107):
                await s.kept(one, key)
                await s.kept(changed, key)
            await s.kept("select sum(changed) from page")
            write = ("update page set title = $2 where id = $1", "insert into page values ($1, $2)")[number % 2]
            await s.write(write, (1, 7, 1, 1)[number], ("b", "new", "move", "again")[number])
            for key in (1, 51, 101, 102, 107):
                await s.right(one, key)
                await s.right(changed, key)
            await s.right("select sum(changed) from page")
