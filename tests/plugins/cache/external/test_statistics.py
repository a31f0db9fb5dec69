"""The statistics of PostgreSQL betray outside writes, and galvo's own are not taken for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from galvo_cache.external import Announced, Statistics
from galvo_cache.external.statistics import LOOK
from tests.plugins.cache.external.outside import connected, oid

pytestmark = pytest.mark.anyio

SHOP = "create table item(id int primary key); insert into item select generate_series(1, 9); create table free(id int)"
FLUSH = "; select pg_stat_force_next_flush()"
"""Report now, as a session would at the latest after 10 s; PostgreSQL 15 has this for tests."""


class Watch:
    """Statistics of two tables, looked at by hand."""

    def __init__(self, looker: asyncpg.Connection, writer: asyncpg.Connection, tables: set[int]) -> None:
        self.told: list[int] = []
        self.counted: list[int] = []
        self.announced = Announced()
        self.writer = writer
        self.looker = looker
        self.tables = tables
        self.statistics = Statistics(
            looker.fetch,
            lambda: self.tables,
            self.told.append,
            lambda table: self.announced(table),
            on_unannounced=self.counted.append,
        )

    async def write(self, sql: str) -> None:
        await self.writer.execute(sql)
        await self.writer.execute("select 1" + FLUSH)
        await self.writer.execute("select 1")

    async def look(self) -> set[str]:
        """The tables that were told of."""
        self.told.clear()
        await self.statistics.look()
        return {await self.looker.fetchval("select $1::int8::oid::regclass::text", table) for table in self.told}

    async def only(self, table: str) -> None:
        self.tables = {await oid(self.looker, table)}


@asynccontextmanager
async def watching(dsn: str, setup: str = "") -> AsyncIterator[Watch]:
    async with connected(dsn) as looker, connected(dsn) as writer:
        await writer.execute(SHOP + setup)
        watch = Watch(looker, writer, {await oid(looker, "item"), await oid(looker, "free")})
        await watch.write("select 1")
        assert await watch.look() == {"item", "free"}, "of what came before the first look nobody knows"
        assert not watch.counted
        yield watch


WRITES = [
    "insert into item values (10)",
    "update item set id = 20 where id = 1",
    "delete from item where id = 1",
    "truncate item",
    "begin; insert into item values (10); truncate item; commit",
    "begin; truncate item; insert into item values (10); commit",
    "with gone as (delete from item returning id) select * from gone",
    "set session_replication_role = replica; delete from item",
    "alter table item alter column id type int8",
]


@pytest.mark.parametrize("sql", WRITES)
async def test_an_outside_write_is_noticed_and_counted(dsn: str, sql: str) -> None:
    async with watching(dsn) as watch:
        assert await watch.look() == set()
        await watch.write(sql)
        assert await watch.look() == {"item"}
        assert watch.counted == [await oid(watch.looker, "item")]
        assert watch.statistics.unannounced.total() == 1
        assert await watch.look() == set(), "once"


async def test_copy_and_cascades_are_noticed(dsn: str) -> None:
    async with watching(dsn, "; create table part(item int references item on delete cascade)") as watch:
        watch.tables.add(await oid(watch.looker, "part"))
        await watch.writer.copy_records_to_table("part", records=[(1,), (2,)])
        await watch.write("select 1")
        assert await watch.look() == {"part"}
        await watch.write("delete from item where id = 1")
        assert await watch.look() == {"part", "item"}


@pytest.mark.parametrize("sql", ["select * from item for update", "analyze item", "vacuum item", "reindex table item"])
async def test_what_changes_nothing_is_not_noticed(dsn: str, sql: str) -> None:
    async with watching(dsn) as watch:
        await watch.write(sql)
        assert await watch.look() == set()


async def test_own_writes_are_not_counted_and_settled_when_they_end(dsn: str) -> None:
    async with watching(dsn) as watch:
        item = await oid(watch.looker, "item")
        watch.announced.note([item])
        await watch.write("delete from item where id = 1")
        assert await watch.look() == set()
        await watch.write("delete from item where id = 2")  # could be anybody's
        await watch.write("insert into free values (1)")
        assert await watch.look() == {"free"}
        watch.announced = Announced()  # the grace is over
        assert await watch.look() == {"item"}, "an outside write may have hidden behind ours"
        assert await watch.look() == set()
        assert watch.counted == [await oid(watch.looker, "free")]


async def test_own_writes_without_end_hide_nothing_for_longer_than_the_patience(dsn: str) -> None:
    async with watching(dsn) as watch:
        watch.statistics._patience = 0
        watch.announced.note(None)
        await watch.write("delete from item where id = 1")
        assert await watch.look() == {"item"}
        assert not watch.counted


async def test_a_write_of_ours_that_begins_during_the_look_is_not_counted(dsn: str) -> None:
    async with watching(dsn) as watch:
        item = await oid(watch.looker, "item")

        async def fetch(sql: str, *args: object) -> list[asyncpg.Record]:
            watch.announced.note([item])
            await watch.write("delete from item where id = 1")
            return await watch.looker.fetch(sql, *args)

        watch.statistics._fetch = fetch
        assert await watch.look() == {"item"}
        assert not watch.counted


async def test_an_outside_write_during_the_look_is_not_hidden_by_a_later_one_of_ours(dsn: str) -> None:
    async with watching(dsn) as watch:
        item = await oid(watch.looker, "item")

        async def fetch(sql: str, *args: object) -> list[asyncpg.Record]:
            rows = await watch.looker.fetch(sql, *args)
            watch.announced.note([item])
            return rows

        watch.statistics._fetch = fetch
        await watch.write("delete from item where id = 1")
        assert await watch.look() == {"item"}


async def test_a_write_that_cannot_be_acted_upon_is_found_again(dsn: str) -> None:
    async with watching(dsn) as watch:

        def fails(table: int) -> None:
            raise RuntimeError(table)

        watch.statistics._on_write = fails
        await watch.write("delete from item; insert into free values (1)")
        with pytest.raises(RuntimeError):
            await watch.look()
        watch.statistics._on_write = watch.told.append
        assert await watch.look() == {"item", "free"}
        assert await watch.look() == set()


RESETS = ["select pg_stat_reset()", "select pg_stat_reset_single_table_counters('item'::regclass)"]


@pytest.mark.parametrize("reset", RESETS)
async def test_a_reset_hides_no_write_and_counts_none(dsn: str, reset: str) -> None:
    async with watching(dsn) as watch:
        moved = (await watch.looker.fetch(LOOK, [await oid(watch.looker, "item")]))[0]["moved"]
        await watch.write(reset)
        await watch.write(f"truncate item; insert into item select generate_series(1, {moved})")
        assert "item" in await watch.look(), "the counter is what it was, and the table is not"
        assert not watch.counted
        assert await watch.look() == set()
        await watch.write("delete from item where id = 1")
        assert await watch.look() == {"item"}
        assert len(watch.counted) == 1


async def test_a_table_that_was_out_of_use_is_compared_with_its_last_look(dsn: str) -> None:
    async with watching(dsn) as watch:
        both = watch.tables
        await watch.only("free")
        await watch.write("delete from item")
        assert await watch.look() == set()
        watch.tables = set()
        assert await watch.look() == set()
        watch.tables = both
        assert await watch.look() == {"item"}


async def test_a_dropped_table_is_told_once(dsn: str) -> None:
    async with watching(dsn) as watch:
        await watch.write("drop table item")
        assert len(await watch.look()) == 1
        assert await watch.look() == set()


async def test_a_server_that_does_not_count_is_not_relied_on(dsn: str) -> None:
    async with watching(dsn) as watch:
        assert watch.statistics.counting
        await watch.looker.execute("set track_counts = off")
        await watch.look()
        assert not watch.statistics.counting


async def test_a_session_that_goes_on_reports_late(dsn: str) -> None:
    """A documented limit: within one long call nothing is reported, so the TTL is the only sure bound."""
    async with watching(dsn) as watch, connected(dsn) as other:
        await other.execute("select pg_advisory_lock(7)")
        await watch.writer.execute("""create procedure slow() language plpgsql as $$ begin
            delete from item; commit; perform pg_advisory_lock(7); end $$""")
        call = asyncio.ensure_future(watch.writer.execute("call slow()"))
        while await watch.looker.fetchval("select count(*) from item"):
            pass
        assert await watch.look() == set(), "it is committed, and not counted yet"
        await other.execute("select pg_advisory_unlock(7)")
        await call
        await watch.write("select 1")
        assert await watch.look() == {"item"}


async def test_the_grace_of_announcements(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("galvo_cache.external.announced.monotonic", lambda: now[0])
    announced = Announced(12)
    assert not announced(1)
    announced.note([1, 2])
    now[0] = 112.0
    assert announced(1)
    assert not announced(3)
    announced.note(None)
    now[0] = 113.0
    assert announced(1)
    assert announced(3)
    now[0] = 125.0
    assert not announced(1)
    assert not announced(3)
