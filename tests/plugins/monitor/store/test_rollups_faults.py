"""What becomes of history when the database does not do as it should."""

from __future__ import annotations

import logging
from itertools import pairwise

import anyio
import asyncpg
import pytest

from galvo import Context, Kernel
from galvo_monitor.store import Store, apart, table
from galvo_monitor.store.apart import Apart
from galvo_monitor.store.rollups import RollUps
from galvo_pool import PoolPlugin
from tests.conftest import execute
from tests.plugins.cache.stand import GatePlugin, locked
from tests.plugins.monitor.store.history import DAY, LAG, ROWS, WAITING, Clock, begin, filled, running

pytestmark = pytest.mark.anyio


async def test_a_role_without_rights(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    await execute(dsn, "create role galvo_monitor_poor login")
    try:
        clock = Clock()
        async with running(dsn.replace("postgres@", "galvo_monitor_poor@")) as context:
            since = await begin(context)
            store = filled(since, 11)
            rollups = RollUps(context, store, clock=clock)
            with caplog.at_level(logging.WARNING):
                await rollups.start(since + 660)
                for _ in range(3):
                    clock.now += 60
                    await rollups.write(since + 660)
            said = [record.getMessage() for record in caplog.records if record.name == "galvo.monitor"]
            assert said == [rollups.problem]
            assert "this role may not use galvo.monitor_history: grant it create on the database" in said[0]
            assert len(store.window(LAG, since + 660, 661)) == 22

            await RollUps(context, store).start(since)
            name = await context.fetchval("select current_database()")
            await execute(dsn, f'grant create on database "{name}" to galvo_monitor_poor')
            clock.now += 3600
            await rollups.write(since + 660)
            assert rollups.problem is None
            assert await context.fetchval(ROWS) == 4
    finally:
        await execute(dsn, "drop owned by galvo_monitor_poor; drop role galvo_monitor_poor")


async def test_a_table_that_the_owner_of_the_database_has_made_needs_no_right_to_create(dsn: str) -> None:
    async with running(dsn) as context:
        await RollUps(context, Store(interval=30)).start(0)
    await execute(
        dsn,
        "create role galvo_monitor_user login; grant usage on schema galvo to galvo_monitor_user; "
        "grant select, insert, update, delete on galvo.monitor_history to galvo_monitor_user",
    )
    try:
        async with running(dsn.replace("postgres@", "galvo_monitor_user@")) as context:
            since = await begin(context)
            rollups = RollUps(context, filled(since, 11))
            await rollups.write(since + 660)
            assert rollups.problem is None
            assert await context.fetchval(ROWS) == 4
    finally:
        await execute(dsn, "drop owned by galvo_monitor_user; drop role galvo_monitor_user")


async def test_a_table_of_somebody_else_is_not_written(dsn: str) -> None:
    await execute(
        dsn, "create role galvo_monitor_other; create schema galvo; create table galvo.monitor_history(); "
        "alter table galvo.monitor_history owner to galvo_monitor_other",
    )  # fmt: skip
    try:
        async with running(dsn) as context:
            rollups = RollUps(context, filled(0, 11))
            await rollups.write(660)
            assert rollups.problem is not None
            assert "belongs to a role that is neither" in rollups.problem
    finally:
        await execute(dsn, "drop owned by galvo_monitor_other; drop role galvo_monitor_other")


async def test_a_database_that_hangs(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TIMEOUT", 0.1)
    other = await asyncpg.connect(dsn)
    clock = Clock()
    try:
        async with running(dsn) as context:
            since = await begin(context)
            rollups = RollUps(context, filled(since, 11), clock=clock)
            await rollups.start(since)
            await other.execute("begin; lock table galvo.monitor_history in access exclusive mode")
            await rollups.write(since + 660)
            assert rollups.problem == "history is kept in memory only, until this is over: TimeoutError"
            assert await context.fetchval("select 1") == 1
            await other.execute("rollback")
            monkeypatch.undo()
            clock.now = 60
            await rollups.write(since + 660)
            assert rollups.problem is None
            assert await context.fetchval(ROWS) == 4
    finally:
        await other.close()


async def test_a_lock_keeps_none_of_the_applications_connections(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, other = Clock(), await asyncpg.connect(dsn)
    try:
        async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 1}}) as kernel:
            context = Context(kernel, "monitor")
            since = await begin(context)
            rollups = RollUps(Apart(context), filled(since, 11), clock=clock)
            await rollups.start(since)
            await other.execute("begin; lock table galvo.monitor_history in access exclusive mode")
            monkeypatch.setattr(apart, "LOCKED", "set lock_timeout = '20ms'")
            await rollups.write(since + 660)
            assert str(rollups.problem).endswith("somebody holds a lock on galvo.monitor_history")
            monkeypatch.setattr(apart, "LOCKED", "set lock_timeout = '30s'")
            clock.now = 60
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rollups.write, since + 660)
                with anyio.fail_after(10):
                    while not await context.fetchval(WAITING):
                        pass
                await other.execute("rollback")
            assert rollups.problem is None
            assert await context.fetchval(ROWS) == 4
    finally:
        await other.close()


async def test_failed_attempts_become_rare(dsn: str) -> None:
    clock = Clock()
    await execute(dsn, "create schema galvo; create view galvo.monitor_history as select 1 as no")
    async with running(dsn) as context:
        gate: GatePlugin = context.capability("gate")
        rollups = RollUps(context, filled(0, 11), clock=clock)
        attempts = []
        for minute in range(4 * 60):
            clock.now = 60.0 * minute
            before = len(gate.seen)
            await rollups.write(660)
            if len(gate.seen) > before:
                attempts.append(minute)
        assert attempts[:6] == [0, 1, 3, 7, 15, 31]
        assert {later - earlier for earlier, later in pairwise(attempts[5:])} == {30}


async def test_a_table_that_was_dropped_is_made_again(dsn: str) -> None:
    clock = Clock()
    async with running(dsn) as context:
        since = await begin(context)
        store = filled(since, 6)
        rollups = RollUps(context, store, clock=clock)
        await rollups.write(since + 330)
        await execute(dsn, "drop schema galvo cascade")
        for number in range(12, 24):
            store.append(since + 30 * number, {LAG: 1.0})
        await rollups.write(since + 700)
        clock.now = 60
        await rollups.write(since + 700)
        assert rollups.problem is None
        assert await context.fetchval(ROWS) == 2


async def test_many_processes_create_it_at_once(dsn: str) -> None:
    async with running(dsn) as context:
        started = [RollUps(context, Store(interval=30)) for _ in range(8)]
        async with anyio.create_task_group() as tasks:
            for rollups in started:
                tasks.start_soon(rollups.start, 0.0)
        assert {rollups.problem for rollups in started} == {None}


async def test_another_process_creates_it_at_the_same_moment(dsn: str) -> None:
    other = await asyncpg.connect(dsn)
    try:
        async with running(dsn) as context:
            rollups = RollUps(context, Store(interval=30))
            await other.execute("begin; create schema galvo")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rollups.start, 0.0)
                await locked(other)
                await other.execute("commit")
            assert rollups.problem is None
    finally:
        await other.close()


async def test_after_a_long_time_without_the_database_all_is_written_in_few_inserts(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        gate: GatePlugin = context.capability("gate")
        rollups = RollUps(context, filled(since - 2 * DAY, 2 * 24 * 60 + 1))
        await rollups.write(since + 60)
        assert sum(query.sql.lstrip().startswith("insert") for query in gate.seen) == 6
        assert await context.fetchval(ROWS) == 2 * (2 * 288 + 2 * 24)


async def test_hostile_rows_are_no_series(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        await RollUps(context, filled(since, 11)).write(since + 660)
        await context.execute(
            "insert into galvo.monitor_history select 300, to_timestamp($1), '', name, 'nan', 'infinity' "
            "from unnest($2::text[]) name",
            since, ["", "<script>", "m{a=} rate", "m rate", *(f"m{number} rate" for number in range(100))],
        )  # fmt: skip
        store = Store(interval=30, most=8)
        rollups = RollUps(context, store)
        await rollups.start(since + 700)
        assert rollups.problem is None
        assert len(store) <= 8
        assert store.past(LAG, since - 1, since + 700).means == [4.5, 4.5]


async def test_without_a_database(dsn: str) -> None:
    async with running(dsn) as context:
        connection = await asyncpg.connect(dsn)
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
        await connection.close()
    rollups = RollUps(context, filled(0, 11))  # its kernel has stopped
    await rollups.start(0)
    await rollups.write(660)
    assert rollups.problem is not None
    assert rollups.problem.startswith("history is kept in memory only, until this is over: ")
