"""What an index has gained, by pg_stat_statements of real calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import asyncpg
import pytest

from galvo_index.advise import Advice
from galvo_index.apply.auto import Auto
from galvo_index.apply.create_index import parsed
from galvo_index.apply.journal import Journal
from galvo_index.apply.run import apply
from galvo_index.apply.undo import undo
from galvo_index.apply.uses import Index, split
from galvo_index.apply.verify import verdict
from galvo_index.settings import IndexSettings
from galvo_index.workload import Statement, stat_statements
from tests.plugins.index.apply.kills import QUICK, check, make_table, wishes

pytestmark = pytest.mark.anyio
HELPS = "create index on item (name, price)"
IDLE = "create index on item (price)"


@pytest.fixture
async def connection(debian_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(debian_dsn)
    await connection.execute("create extension pg_stat_statements")
    await make_table(connection, rows=50_000)
    await connection.execute("drop index galvo_theirs; create index galvo_theirs on item (id)")
    yield connection
    await connection.close()


async def load(connection: asyncpg.Connection) -> None:
    for number in range(10):
        await connection.fetch("select * from item where name = $1", f"n{number}")
        await connection.fetch("select sum(id) from item where id < $1", 20_000 + number)
        await connection.execute("update item set price = price + 1 where id = $1", number)


def settings(**values: object) -> IndexSettings:
    return IndexSettings.model_validate(
        {"apply": "auto", "apply_tables": ["public.*"], "off_peak": "00:00-00:00", "apply_window": 1} | values
    )


async def test_which_statements_use_it(debian_dsn: str, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "create index used on item (name); create table other (id int); "
        "create index newer on item (price); analyze item"
    )
    statements = [
        Statement("select * from item where name = $1"),
        Statement("select * from item where name = $1 and true", arguments=(("n5",),)),
        Statement("update item set price = 5 where id = $1"),
        Statement("select 7"),
        Statement("select * from item where name = 'n1'; drop table item"),
        Statement("vacuum item"),
        Statement("select * from nowhere"),
        Statement("select * from item where price = 7"),
        Statement("insert into other values (1)"),
        Statement("select $1 from item where name = $"),
    ]

    await connection.execute("set search_path = pg_catalog")
    shares = await split(connection, statements, Index("used", "item"), [Index("newer", "other")])
    await connection.execute("reset search_path")
    assert [len(keys) for keys in (shares.uses, shares.maintains, shares.others)] == [2, 1, 1]


@pytest.mark.parametrize("sql, last, kept", [(HELPS, False, True), (IDLE, False, None), (IDLE, True, False)])
async def test_verdict(
    debian_dsn: str, connection: asyncpg.Connection, sql: str, last: bool, kept: bool | None
) -> None:
    async def workload() -> list[Statement]:
        return await stat_statements.read(connection)

    await load(connection)
    _, (outcome,) = await apply(lambda: asyncpg.connect(debian_dsn), wishes(sql), QUICK, workload=workload)
    assert outcome.built, outcome
    await load(connection)
    (entry,) = await Journal(connection).entries()
    await connection.execute("set search_path = pg_catalog")
    seen = await verdict(connection, entry, workload, last=last)
    await connection.execute("reset search_path")
    assert seen.kept is kept, seen
    if kept:
        assert seen.gain is not None
        assert seen.gain > 0.5


async def test_auto_keeps_what_helps(debian_dsn: str, connection: asyncpg.Connection) -> None:
    asked = []

    async def advise(asking: asyncpg.Connection) -> Sequence[Advice]:
        asked.append(asking)
        return [Advice(definition, 0, (), "hypopg") for definition in parsed(HELPS)]

    auto = Auto(lambda: asyncpg.connect(debian_dsn), settings(), advise, None, QUICK)
    now = datetime.now().astimezone()
    await load(connection)
    assert len(await auto.turn(now)) == 1
    await load(connection)
    again = Auto(lambda: asyncpg.connect(debian_dsn), settings(), advise, None, QUICK)
    assert await again.turn(now) == []  # the window is not over, and another index would blur the verdict
    assert len(asked) == 1
    assert await auto.turn(now + timedelta(minutes=59)) == []
    (said, *_) = await auto.turn(now + timedelta(hours=1, minutes=1))
    assert "stays: " in said
    (entry,) = await Journal(connection).entries()
    assert (entry.state, entry.kept) == ("judged", True)
    await undo(lambda: asyncpg.connect(debian_dsn), QUICK)
    await check(connection)


async def test_auto_drops_what_does_not_and_remembers(debian_dsn: str, connection: asyncpg.Connection) -> None:
    async def advise(_: asyncpg.Connection) -> Sequence[Advice]:
        return [Advice(definition, 0, (), "hypopg") for definition in parsed(IDLE)]

    auto = Auto(lambda: asyncpg.connect(debian_dsn), settings(), advise, None, QUICK)
    now = datetime.now().astimezone()
    await load(connection)
    await auto.turn(now)
    await load(connection)
    (said, *_) = await auto.turn(now + timedelta(hours=8))
    assert "was dropped: " in said
    await auto.turn(now + timedelta(hours=10))
    (entry,) = await Journal(connection).entries()
    assert (entry.state, entry.kept) == ("dropped", False)
    await check(connection)
    await connection.execute("update galvo.index_journal set judged_at = judged_at - interval '31 days'")
    await auto.turn(now + timedelta(hours=12))
    assert [entry.state for entry in await Journal(connection).entries()] == ["dropped", "built"]


async def test_auto_builds_only_off_peak_and_only_what_was_verified(
    debian_dsn: str, connection: asyncpg.Connection
) -> None:
    async def advise(_: asyncpg.Connection) -> Sequence[Advice]:
        return [Advice(definition, 0, (), "no") for definition in parsed(IDLE)]

    auto = Auto(lambda: asyncpg.connect(debian_dsn), settings(), advise, None, QUICK)
    assert await auto.turn(datetime.now().astimezone()) == []
    never = settings(off_peak="03:00-04:00")
    noon = datetime.now().astimezone().replace(hour=12)
    assert await Auto(lambda: asyncpg.connect(debian_dsn), never, advise, None, QUICK).turn(noon) == []
    assert not await Journal(connection).exists()
