"""Real tables, dead rows, locks and autovacuum workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from galvo import GalvoError
from galvo_embedded import Servers
from galvo_index.cli import main
from galvo_index.upkeep import work as working
from galvo_index.upkeep.needs import Need
from galvo_index.upkeep.work import Done, Memory, Pace, needs, work
from tests.conftest import until_released

pytestmark = pytest.mark.anyio
PACE = Pace(lock=0.5, pause=0.0)
OFF = "with (autovacuum_enabled = off)"


async def make(
    connection: asyncpg.Connection, name: str, options: str = OFF, rows: int = 5000, dead: int = 3000
) -> None:
    await connection.execute(
        f"create table {name} (a int primary key, b text) {options};"
        f"insert into {name} select g, repeat('x', 100) from generate_series(1, {rows}) g; analyze {name};"
        f"delete from {name} where a <= {dead}; select pg_stat_force_next_flush()"
    )
    await connection.fetch("select 1")


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def run(dsn: str, pace: Pace = PACE, memory: Memory | None = None, left: float = 1000.0) -> list[Done]:
    return [one async for one in work(lambda: asyncpg.connect(dsn), pace, memory or Memory(), lambda: left)]


async def test_what_needs_it_is_vacuumed(dsn: str, connection: asyncpg.Connection) -> None:
    await make(connection, '"Ünï; drop table x"')
    await make(connection, "fine", dead=10)
    await connection.execute("vacuum analyze fine")
    await make(connection, "soon", "")
    await connection.execute(
        "create table parted (a int) partition by range (a); create table empty (a int) partition by range (a);"
        "create table part partition of parted for values from (1) to (9); insert into part values (5); analyze part"
    )
    found = {one.table: one.action for one in await needs(connection)}
    assert found == {'public."Ünï; drop table x"': "vacuum", "public.soon": "leave", "public.parted": "analyze"}
    done = await run(dsn)
    assert [(one.need.table, one.text) for one in done if one.need.sql] == [
        ('public."Ünï; drop table x"', ""),
        ("public.parted", ""),
    ]
    for table in ('"Ünï; drop table x"', "soon"):
        count = await connection.fetchval(
            "select vacuum_count from pg_stat_user_tables where relid = $1::text::regclass", table
        )
        assert count == (table != "soon")
    assert [one.action for one in await needs(connection)] in (["leave"], [])  # or autovacuum was fast


async def test_a_locked_table_is_left_alone(dsn: str, connection: asyncpg.Connection) -> None:
    await make(connection, "busy")
    async with connection.transaction():
        await connection.execute("lock table busy in share update exclusive mode")
        (done,) = await run(dsn)
    assert done.text == 'left alone: skipping vacuum of "busy" --- lock not available'


async def test_who_waits_behind_it_is_let_pass(dsn: str, connection: asyncpg.Connection) -> None:
    await make(connection, "busy", rows=100_000)
    slow = Pace(lock=0.5, cost_delay="100ms")
    running = asyncio.create_task(run(dsn, slow))
    while not await connection.fetchval("select count(*) from pg_stat_progress_vacuum"):
        assert not running.done(), running.result()
    await connection.execute("alter table busy add column more int")
    (done,) = await running
    assert done.text.startswith("given up, so that nobody waits: canceling statement due to user request")


async def test_the_end_of_the_hours(dsn: str, connection: asyncpg.Connection) -> None:
    await make(connection, "late")
    (done,) = await run(dsn, left=0.0)
    assert done.text == "left for the next time: the off-peak hours are over"


async def test_behind_an_old_transaction(
    dsn: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would remove nothing."""
    monkeypatch.setattr(working, "OLD", 0.0)
    await make(connection, "kept")
    old = await asyncpg.connect(dsn, server_settings={"application_name": "report"})
    transaction = old.transaction(isolation="repeatable_read")
    await transaction.start()
    await old.fetch("select 1")
    (done,) = await run(dsn)
    assert done.text.startswith(f"left alone: pid {old.get_server_pid()} ('report') has been in a transaction for")
    await transaction.rollback()
    await old.close()


async def test_what_autovacuum_did_meanwhile_is_not_done_again(
    dsn: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(connection, "one")
    first = working.needs

    async def slow(looking: asyncpg.Connection, memory: Memory, oid: int | None = None) -> list[Need]:
        if oid is not None:
            await connection.execute("vacuum analyze one")
            await connection.execute("select pg_stat_force_next_flush()")
            await connection.fetch("select 1")
        return await first(looking, memory, oid)

    monkeypatch.setattr(working, "needs", slow)
    (done,) = await run(dsn)
    assert done.text == "nothing to do any more"


@pytest.fixture
def own_servers(folder: Path) -> Iterator[Servers]:
    """Whose autovacuum comes at once, and is slow."""
    options = {"fsync": "off", "autovacuum_naptime": "1s", "autovacuum_vacuum_cost_delay": "100ms"}
    made = Servers(folder, options=options)
    yield made
    made.close()
    until_released(folder)


async def test_a_real_autovacuum_worker_is_left_alone(own_servers: Servers) -> None:
    url = await own_servers.postgres()
    connection = await asyncpg.connect(url)
    try:
        await make(connection, "swept", "", rows=50_000, dead=25_000)
        worker = None
        while worker is None:
            worker = await connection.fetchval(
                "select pid from pg_stat_progress_vacuum where relid = 'swept'::regclass"
            )
        (done,) = await run(url)
        assert (done.need.why, done.text) == ("it is being vacuumed or analyzed now", "left alone")
        assert worker == await connection.fetchval("select pid from pg_stat_progress_vacuum")
        # Even when told to: it does not wait, so autovacuum is not cancelled.
        await connection.execute("vacuum (analyze, skip_locked, truncate false) swept")
        assert worker == await connection.fetchval("select pid from pg_stat_progress_vacuum")
    finally:
        await connection.close()


async def test_on_a_standby(own_servers: Servers) -> None:
    url = await own_servers.postgres()
    connection = await asyncpg.connect(url)
    data = Path(await connection.fetchval("show data_directory"))
    await connection.close()
    own_servers.close()
    until_released(data.parent)
    (data / "standby.signal").touch()
    url = await own_servers.postgres()
    with pytest.raises(GalvoError, match="is a standby"):
        await run(url)


def test_the_command(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def prepare() -> None:
        connection = await asyncpg.connect(dsn)
        await make(connection, "t")
        await connection.close()

    asyncio.run(prepare())
    assert main(["upkeep", dsn, "--dry-run", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["table"], row["action"], row["result"]) == ("public.t", "vacuum", "")
    assert main(["upkeep", dsn]) == 1
    assert "nothing was changed: there is nobody to ask" in capsys.readouterr().err
    assert main(["upkeep", dsn, "--yes"]) == 0
    out = capsys.readouterr().out
    assert "- public.t: done" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert main(["upkeep", dsn]) == 0
    assert capsys.readouterr().out == "nothing needs to be done\n"
