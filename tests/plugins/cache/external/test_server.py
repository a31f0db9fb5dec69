"""On a server of one's own: replication, prepared transactions, a restart, a crash."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest

from galvo_cache.cli import main
from galvo_cache.external import Announced, Statistics
from galvo_embedded import Servers
from tests.conftest import until_released
from tests.plugins.cache.external.outside import connected, listening, oid, until, watch

pytestmark = pytest.mark.anyio
FLUSH = "select pg_stat_force_next_flush()"


@asynccontextmanager
async def started(folder: Path, **options: str) -> AsyncIterator[str]:
    servers = Servers(folder, options={"fsync": "off", **options})
    try:
        yield await servers.postgres()
    finally:
        servers.close()
        await anyio.to_thread.run_sync(until_released, folder)


async def some(work: Any) -> None:
    """Repeat `work` until the server lets it."""
    with anyio.fail_after(30):
        while True:
            try:
                return await work()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await anyio.sleep(0.02)


async def test_rows_that_replication_applies_are_heard(folder: Path) -> None:
    """Its apply fires no statement triggers, not even ENABLE ALWAYS: that is what the row trigger is for."""
    async with started(folder, wal_level="logical") as dsn, connected(dsn) as source:
        await source.execute("create database copy")
        sql = "create table item(id int primary key, name text)"
        await source.execute(f"{sql}; create publication p for table item")
        await source.execute("select pg_create_logical_replication_slot('s', 'pgoutput')")
        copy = dsn.replace("/postgres?", "/copy?")
        async with listening(copy) as (ear, other):
            await other.execute(sql)
            await watch(other, "item")
            where = f"host={dsn.partition('host=')[2].partition('&')[0]} dbname=postgres user=postgres"
            await other.execute(f"""create subscription s connection '{where}' publication p
                with (create_slot = false, slot_name = 's', copy_data = false)""")
            for write in (
                "insert into item values (1, 'a'), (2, 'b')",
                "update item set name = 'c'",
                "delete from item where id = 1",
                "truncate item",
            ):
                ear.told.clear()
                await source.execute(write)
                await until(lambda: ear.told)
                assert await ear.heard() == {"item": 1}, write
            await other.execute("drop subscription s")  # and the slot with it


async def test_two_phase_commit_is_refused_by_postgresql(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A documented limit: PostgreSQL cannot prepare a transaction that has notified."""
    async with started(folder, max_prepared_transactions="4") as dsn, connected(dsn) as other:
        await other.execute("create table item(id int)")
        await other.execute("begin; insert into item values (1); prepare transaction 'p'")
        await other.execute("commit prepared 'p'")
        monkeypatch.setenv("GALVO_POOL__URL", dsn)
        monkeypatch.chdir(folder)
        assert await anyio.to_thread.run_sync(main, ["watch", "item"]) == 0
        assert "PREPARE TRANSACTION fails from now on" in capsys.readouterr().err
        with pytest.raises(asyncpg.FeatureNotSupportedError, match="NOTIFY"):
            await other.execute("begin; insert into item values (1); prepare transaction 'p'")


def test_the_command_on_the_embedded_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(["watched"]) == 0
    assert capsys.readouterr().out.startswith("no table is watched")


async def test_a_restart_of_the_server_is_doubted_twice(folder: Path) -> None:
    async with started(folder) as dsn, listening(dsn, beat=600) as (ear, other):
        await other.execute("create table item(id int)")
        await watch(other, "item")
        ear.doubts.clear()
        postmaster = int((await other.fetchval("select pg_read_file('postmaster.pid')")).split()[0])
        backend = other.get_server_pid()
        os.kill(backend, signal.SIGKILL)  # the postmaster ends every other backend too, and recovers
        await until(lambda: ear.doubts)
        assert ear.doubts == [False]
        await until(lambda: len(ear.doubts) == 2 and ear.listener.listening, 30)
        assert ear.doubts == [False, False]
        os.kill(postmaster, 0)  # the same postmaster still
        async with connected(dsn) as again:
            ear._connection = again
            await again.execute("insert into item values (1)")
            assert await ear.heard() == {"item": 1}


async def test_a_crash_that_loses_the_statistics_hides_no_write(folder: Path) -> None:
    async with started(folder) as dsn:
        looker = await asyncpg.connect(dsn)
        await looker.execute("create table item(id int); insert into item values (1), (2)")
        await looker.execute(FLUSH)
        await looker.execute("select 1")
        told: list[int] = []
        item = await oid(looker, "item")

        async def fetch(sql: str, *args: Any) -> Any:
            return await looker.fetch(sql, *args)

        statistics = Statistics(fetch, lambda: {item}, told.append, Announced())
        await statistics.look()
        assert told == [item]
        told.clear()
        await statistics.look()
        assert not told
        os.kill(looker.get_server_pid(), signal.SIGKILL)
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await statistics.look()

        async def reconnect() -> None:
            nonlocal looker
            looker.terminate()
            looker = await asyncpg.connect(dsn)

        await some(reconnect)
        await looker.execute("delete from item where id = 1; delete from item where id = 2")
        await looker.execute(FLUSH)
        await looker.execute("select 1")
        await statistics.look()
        assert told == [item], "the counter is 2 as before, and the table is not"
        assert not statistics.unannounced
        told.clear()
        await statistics.look()
        assert not told
        await looker.close()


async def test_run_goes_on_after_a_failed_look(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    async with connected(dsn) as other, anyio.create_task_group() as tasks:
        await other.execute("create table item(id int)")
        item = await oid(other, "item")
        told: list[int] = []
        broken = asyncio.Event()

        async def fetch(sql: str, *args: Any) -> Any:
            if broken.is_set():
                raise OSError("gone, with a secret")
            return await other.fetch(sql, *args)

        statistics = Statistics(fetch, lambda: {item}, told.append, Announced(), interval=0.01)
        tasks.start_soon(statistics.run)
        await until(lambda: told == [item])
        assert statistics.counting
        broken.set()
        await until(lambda: not statistics.counting)
        async with connected(dsn) as writer:
            await writer.execute("insert into item values (1)")
        broken.clear()
        await until(lambda: told == [item, item])
        assert statistics.unannounced == {item: 1}
        tasks.cancel_scope.cancel()
    assert [record.message for record in caplog.records] == ["cannot read the statistics of tables: OSError"]
