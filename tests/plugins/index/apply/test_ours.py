"""What galvo made is known by more than its name, and nothing else is ever dropped."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from galvo_index.apply.journal import Entry, Journal
from galvo_index.apply.ours import find
from galvo_index.apply.run import apply
from galvo_index.apply.undo import undo
from tests.plugins.index.apply.kills import QUICK, wishes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def entry(dsn: str, connection: asyncpg.Connection) -> Entry:
    await apply(lambda: asyncpg.connect(dsn), wishes(), QUICK)
    (entry,) = await Journal(connection).entries()
    return entry


async def settled(dsn: str) -> Any:
    said, _ = await apply(lambda: asyncpg.connect(dsn), [], QUICK)
    return said


async def names(connection: asyncpg.Connection) -> set[str]:
    return {row[0] for row in await connection.fetch("select relname from pg_class where relkind = 'i' and oid > 16384 "
                                                     "and relname !~ '^pg_'")}  # fmt: skip


async def test_reindexed_it_is_still_ours(dsn: str, connection: asyncpg.Connection, entry: Entry) -> None:
    await connection.execute(f"reindex index concurrently {entry.name}")
    assert await settled(dsn) == []
    found = await find(connection, entry)
    assert found
    assert found.oid != entry.index_oid
    await undo(lambda: asyncpg.connect(dsn), QUICK)
    assert entry.name not in await names(connection)


async def test_renamed_it_is_still_ours(dsn: str, connection: asyncpg.Connection, entry: Entry) -> None:
    await connection.execute(f"alter index {entry.name} rename to mine; alter table item rename to thing")
    await undo(lambda: asyncpg.connect(dsn), QUICK)
    assert "mine" not in await names(connection)


async def test_made_again_by_somebody_else_it_is_theirs(dsn: str, connection: asyncpg.Connection, entry: Entry) -> None:
    await connection.execute(f"drop index {entry.name}; create index {entry.name} on item (price)")
    assert await settled(dsn) == [f"{entry.name} on public.item is gone: somebody else has dropped or changed it"]
    await undo(lambda: asyncpg.connect(dsn), QUICK)
    assert entry.name in await names(connection)


async def test_a_copied_comment_is_no_proof(dsn: str, connection: asyncpg.Connection, entry: Entry) -> None:
    await connection.execute("create table copied (like item including all)")
    copies = await names(connection) - {"item_pkey", "galvo_theirs", entry.name, "index_journal_pkey"}
    assert len(copies) == 3
    await undo(lambda: asyncpg.connect(dsn), QUICK)
    left = await names(connection)
    assert copies <= left
    assert entry.name not in left


async def test_an_invalid_index_that_only_has_such_a_name_stays(dsn: str, connection: asyncpg.Connection) -> None:
    await connection.execute("create table twice (a int); insert into twice values (1), (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("create unique index concurrently galvo_building_0123456789abcdef on twice (a)")
    (said,) = await settled(dsn)
    assert said.startswith("public.galvo_building_0123456789abcdef is INVALID, and no journal says that galvo made it")
    await undo(lambda: asyncpg.connect(dsn), QUICK)
    assert "galvo_building_0123456789abcdef" in await names(connection)


async def test_what_is_undone_can_be_built_again(dsn: str, connection: asyncpg.Connection, entry: Entry) -> None:
    await undo(lambda: asyncpg.connect(dsn), QUICK, [entry.id])
    await apply(lambda: asyncpg.connect(dsn), wishes(), QUICK)
    assert entry.name in await names(connection)
    assert [one.state for one in await Journal(connection).entries()] == ["dropped", "built"]


async def test_the_table_is_gone(dsn: str, connection: asyncpg.Connection, entry: Entry) -> None:
    await connection.execute("drop table item")
    assert len(await settled(dsn)) == 1
    assert [one.state for one in await Journal(connection).entries()] == ["dropped"]
