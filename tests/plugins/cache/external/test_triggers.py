"""Whoever writes a watched table, and however: the listener hears of it after the commit, and only then."""

from __future__ import annotations

import asyncio

import anyio
import asyncpg
import pytest

from galvo_cache.external import triggers
from tests.plugins.cache.external.outside import connected, listening, watch

pytestmark = pytest.mark.anyio

SHOP = """
create table item(id int primary key, name text);
insert into item select g, 'x' from generate_series(1, 9) g;
"""
WRITES = [
    "insert into item values (10, 'y')",
    "insert into item values (1, 'y') on conflict (id) do update set name = 'z'",
    "insert into item values (1, 'y') on conflict do nothing",
    "update item set name = 'y' where id = 1",
    "delete from item where id = 1",
    "truncate item",
    "merge into item using (values (1), (99)) v(n) on id = n when matched then delete"
    " when not matched then insert values (n, 'm')",
    "with gone as (delete from item returning id) select * from gone",
    "do $$ begin delete from item; end $$",
    "explain analyze delete from item",
    "prepare p as delete from item; execute p",
    "set session_replication_role = replica; update item set name = 'y' where id = 1; reset all",
    "set session_replication_role = replica; truncate item; reset all",
    "begin; savepoint a; delete from item; release a; commit",
    "begin; delete from item where id = 1; savepoint a; delete from item where id = 2; rollback to a; commit",
    "begin; " + "update item set name = name || 'y'; " * 50 + "commit",
]


@pytest.mark.parametrize("sql", WRITES)
async def test_each_kind_of_write_is_heard_once(dsn: str, sql: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP)
        await watch(other, "item")
        assert not await ear.heard()
        await other.execute(sql)
        assert await ear.heard() == {"item": 1}


async def test_copy_is_heard(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP)
        await watch(other, "item")
        await other.copy_records_to_table("item", records=[(n, "c") for n in range(100, 3000)])
        assert await ear.heard() == {"item": 1}


@pytest.mark.parametrize(
    "sql",
    [
        "select * from item for update",
        "begin; delete from item; truncate item; rollback",
        "begin; savepoint a; delete from item; rollback to a; commit",
        "vacuum full item",
        "insert into free values (1)",
    ],
)
async def test_what_changes_nothing_is_not_heard(dsn: str, sql: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP + "create table free(id int)")
        await watch(other, "item")
        await other.execute(sql)
        assert not await ear.heard()


async def test_a_failed_statement_is_not_heard(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP)
        await watch(other, "item")
        with pytest.raises(asyncpg.UniqueViolationError):
            await other.execute("insert into item values (1, 'twice')")
        assert not await ear.heard()


async def test_it_is_heard_after_the_commit_and_not_before(dsn: str) -> None:
    async with listening(dsn) as (ear, other), connected(dsn) as reader:
        await other.execute(SHOP)
        await watch(other, "item")
        async with connected(dsn) as writer:
            await writer.execute("begin; delete from item")
            assert not await ear.heard()
            counts: list[asyncio.Task[int]] = []
            ear.listener._on_write = lambda _: counts.append(
                asyncio.ensure_future(reader.fetchval("select count(*) from item"))
            )
            await writer.execute("commit")
            await ear.heard()
        assert [await count for count in counts] == [0], "what is read after the notification is new"


async def test_foreign_keys_that_cascade_are_heard_on_the_child(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP)
        await other.execute("""
            create table part(id int primary key, item int references item on delete cascade on update cascade);
            create table note(part int references part on delete set null);
            insert into part select id, id from item; insert into note select id from part;
        """)
        await watch(other, "part", "note")
        await other.execute("delete from item where id = 1")
        assert set(await ear.heard()) == {"part", "note"}
        await other.execute("update item set id = 77 where id = 2")
        assert set(await ear.heard()) == {"part"}
        await other.execute("truncate item cascade")
        assert set(await ear.heard()) == {"part", "note"}


PARTS = """
create table sale(id int, year int, note text) partition by list (year);
create table sale_1 partition of sale for values in (1);
create table sale_2 partition of sale for values in (2) partition by list (id);
create table sale_2a partition of sale_2 for values in (1);
create table sale_2b partition of sale_2 default;
"""


@pytest.mark.parametrize("named", ["sale", "sale_2b"])
async def test_a_whole_tree_of_partitions_is_watched(dsn: str, named: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(PARTS)
        await watch(other, named)
        for table in ("sale", "sale_2", "sale_2a"):
            await other.execute(f"insert into {table} values (1, 2)")
            assert await ear.heard() == {table: 1}
        await other.execute("update sale set year = 1")
        assert await ear.heard() == {"sale": 1}
        await other.execute("truncate sale")
        assert set(await ear.heard()) >= {"sale", "sale_1", "sale_2", "sale_2a", "sale_2b"}


async def test_a_tree_of_inheritance_is_watched(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute("""
            create table a(id int); create table a2(id int);
            create table b() inherits (a, a2); create table c() inherits (b);
        """)
        await watch(other, "b")
        for table in ("a", "a2", "b", "c"):
            await other.execute(f"insert into {table} values (1)")
            assert await ear.heard() == {table: 1}
        await other.execute("delete from a2")
        assert await ear.heard() == {"a2": 1}


async def test_strange_names_and_paths(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute("""create schema "a.b"; create table "a.b"."c""d; drop" (id int);""")
        await watch(other, '"a.b"."c""d; drop"')
        await watch(other, '"a.b"."c""d; drop"')  # twice is fine
        # A function of the writer's with the name of ours, and a search path that would find it.
        await other.execute("""
            create schema evil; create function evil.pg_notify(text, text) returns void language sql as 'select 1/0';
            set search_path = evil, pg_catalog; insert into "a.b"."c""d; drop" values (1); reset search_path
        """)
        assert sum((await ear.heard()).values()) == 1


async def test_a_writer_without_any_right_on_our_schema(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP)
        await watch(other, "item")
        role = f"writer_{(await other.fetchval('select current_database()'))}"
        await other.execute(f"""
            create role {role}; grant insert on item to {role}; revoke all on schema galvo from public;
            revoke all on function galvo.galvo_notify() from public;
        """)
        try:
            await other.execute(f"set role {role}; insert into item values (50, 'r'); reset role")
            assert await ear.heard() == {"item": 1}
        finally:
            await other.execute(f"reset role; drop owned by {role}; drop role {role}")


@pytest.mark.parametrize("undo", ["unwatch", "again"])
async def test_after_unwatch_nothing_is_heard(dsn: str, undo: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(SHOP)
        await watch(other, "item")
        for _ in range(2):
            await other.execute(triggers.script([triggers.unwatch("item")]))
        if undo == "again":
            await watch(other, "item")
        await other.execute("delete from item")
        assert (await ear.heard()).total() == (undo == "again")


async def test_the_source_can_be_told_from_somebody_elses(dsn: str) -> None:
    async with connected(dsn) as other:
        assert await other.fetch(triggers.OURS) == []
        await other.execute(triggers.INSTALL)
        ours = await other.fetchval(triggers.OURS)
        assert ours == await other.fetchval("select 'galvo.galvo_notify'::regproc::oid")
        for change in (
            "alter function galvo.galvo_notify() security definer",
            "alter function galvo.galvo_notify() set search_path = public",
            triggers.INSTALL.replace("perform", "delete from x; perform"),
            "alter function galvo.galvo_notify() rename to other",
        ):
            await other.execute(f"begin; {change}")
            assert await other.fetch(triggers.OURS) == [], change
            await other.execute("rollback")
        assert await other.fetchval(triggers.OURS) == ours


async def test_a_lock_is_not_waited_for_long(dsn: str) -> None:
    async with connected(dsn) as other, connected(dsn) as busy:
        await other.execute(SHOP)
        await busy.execute("begin; lock item in share row exclusive mode")
        with anyio.fail_after(60), pytest.raises(asyncpg.LockNotAvailableError):
            await watch(other, "item")
        await other.execute("rollback")
        assert await other.fetchval("select to_regnamespace('galvo')") is None, "all or nothing"
