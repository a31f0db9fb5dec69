"""History in a real database: it survives a restart, and whatever is wrong there stops nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise

import anyio
import asyncpg
import pytest

from galvo import Context, Kernel
from galvo_monitor.series import Series
from galvo_monitor.store import Store, apart, table
from galvo_monitor.store.apart import Apart
from galvo_monitor.store.rollup import Moments
from galvo_monitor.store.rollups import RollUps
from galvo_pool import PoolPlugin
from tests.conftest import execute
from tests.plugins.cache.stand import GatePlugin, locked, standing

pytestmark = pytest.mark.anyio

LAG = Series("galvo.loop.lag", "p95")
HITS = Series("galvo.cache.hits", "rate", (("galvo.cache.level", 'l"1'),))
DAY = 86_400
ROWS = "select count(*) from galvo.monitor_history"
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running(dsn: str) -> AsyncIterator[Context]:
    async with Kernel.of({GatePlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        yield Context(kernel, "monitor")


async def begin(context: Context) -> float:
    """A full hour, a day ago by the server's clock, which retention goes by."""
    return float(await context.fetchval("select extract(epoch from date_trunc('hour', now()))::float8")) - DAY


def filled(since: float, minutes: int) -> Store:
    store = Store(interval=30)
    for number in range(2 * minutes):
        store.append(since + 30 * number, {LAG: float(number % 10), HITS: 7.5})
    return store


async def test_history_survives_a_restart(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        store = filled(since, 121)
        rollups = RollUps(context, store)
        await rollups.start(since)
        await rollups.write(since + 7260)
        assert rollups.problem is None
        assert await context.fetchval(ROWS) == rollups.rows == 2 * (24 + 2)

        after = Store(interval=30)
        await RollUps(context, after).start(since + 7300)
        past = after.past(LAG, since - 1, since + 7300)
        assert past.step == 300
        assert past.means == [4.5] * 24
        assert past.highs == [9] * 24
        assert past.times == [since + 300 * number for number in range(1, 25)]
        assert after.select("galvo.cache.hits", "rate", {"galvo.cache.level": 'l"1'}) == [HITS]

        after.append(since + 7320, {LAG: 1.0})
        assert after.past(LAG, since - 1, since + 7320).means == [*past.means, 1.0]
        assert after.window(LAG, since + 7320, 600) == [1.0]


@pytest.mark.parametrize("first", [0, 1, 15], ids=["at once", "after a moment", "after minutes"])
async def test_the_long_stretch_that_a_restart_cuts_is_made_from_short_ones(dsn: str, first: int) -> None:
    """Even when the database was not there at first."""
    async with running(dsn) as context:
        since = await begin(context)
        await RollUps(context, filled(since, 41)).write(since + 2460)
        after = Store(interval=30)
        rollups = RollUps(context, after)
        for number in range(2 * 19):
            if number == first:
                await rollups.start(since + 2460 + 30 * number)
            after.append(since + 2460 + 30 * number, {LAG: 24.5, HITS: 7.5})
        after.append(since + 3600, {LAG: 0.0})
        await rollups.write(since + 3600)
        ((mean, high),) = await context.fetch(
            "select mean, high from galvo.monitor_history where step = 3600 and series = $1", str(LAG)
        )
        assert mean == pytest.approx((80 * 4.5 + 38 * 24.5) / 118)
        assert high == 24.5
        past = after.past(LAG, since - 1, since + 3600)
        assert past.step == 300
        assert past.times == sorted(set(past.times))
        assert len(past.times) == 8 + 4 + 1


async def test_putting_back_what_is_kept_leaves_the_loop_alone(dsn: str) -> None:
    threads: list[int] = []

    class Overseen(Store):
        def restore(self, kept: Mapping[float, Moments]) -> None:
            threads.append(threading.get_ident())
            super().restore(kept)

    async with running(dsn) as context:
        since = await begin(context)
        await RollUps(context, filled(since, 121)).write(since + 7260)
        store = Overseen(interval=30)
        await RollUps(context, store).start(since + 7260)
        assert len(store.rolled(300, 0)) == 24
        assert len(threads) == 1
        assert threading.get_ident() not in threads


@pytest.mark.parametrize("late", [False, True])
async def test_long_stretches_that_are_kept_are_not_made_again(dsn: str, late: bool) -> None:
    """`late`: the database comes back when the next process has run for hours."""
    async with running(dsn) as context:
        since = await begin(context)
        store, after = Store(interval=30), Store(interval=30)
        for number in range(2 * 161):  # each hour has a value of its own
            store.append(since + 30 * number, {LAG: float(number // 120)})
        await RollUps(context, store).write(since + 9660)
        await context.execute("update galvo.monitor_history set high = 9 where step = 3600")
        rollups = RollUps(context, after)
        if not late:
            await rollups.start(since + 9660)
        for number in range(2 * 240, 2 * 301):
            after.append(since + 30 * number, {LAG: 4.0})
        await rollups.write(since + 30 * 602)
        kept = await context.fetch("select mean, high from galvo.monitor_history where step = 3600 order by at")
        assert [tuple(row) for row in kept] == [(0, 9), (1, 9), (2, 2), (4, 4)]
        assert [points[LAG] for _, points in after.rolled(3600, 0)] == [(0, 9), (1, 9), (2, 2), (4, 4)]


async def test_a_store_that_goes_on_is_not_given_what_it_has(dsn: str) -> None:
    """After a reload the store is the same, and its rows are its own."""
    async with running(dsn) as context:
        since = await begin(context)
        await RollUps(context, filled(since, 71)).write(since + 4260)
        store = Store(interval=30)
        await RollUps(context, store).start(since + 4260)
        for number in range(142, 142 + 60):
            store.append(since + 30 * number, {LAG: 50.0})
        before = store.rolled(300, 0), store.rolled(3600, 0), store.past(LAG, since - 1, since + DAY)
        rollups = RollUps(context, store)
        await rollups.write(since + 6060)
        assert rollups.problem is None
        assert (store.rolled(300, 0), store.rolled(3600, 0), store.past(LAG, since - 1, since + DAY)) == before
        store.append(since + 7200, {LAG: 0.0})
        ((_, points),) = store.rolled(3600, since + 3600)
        assert points[LAG][0] == pytest.approx((20 * 4.5 + 60 * 50) / 80)


async def test_one_insert_per_stretch_and_a_look_at_what_is_due_costs_nothing(dsn: str) -> None:
    async with standing(dsn) as stand:
        context = Context(stand.kernel, "monitor")
        since = await begin(context)
        store = Store(interval=30)
        rollups = RollUps(context, store)
        await rollups.start(since)
        sent = []
        for number in range(2 * 62):
            store.append(since + 30 * number, {LAG: 1.0, HITS: 2.0})
            before = len(stand.gate.seen)
            await rollups.write(since + 30 * number)
            sent += [query.sql.split()[0] for query in stand.gate.seen[before:]]
        assert sent.count("insert") == 12
        assert sent.count("delete") == 2
        assert set(sent) == {"insert", "delete"}
        assert await stand.truth(ROWS) == 2 * (12 + 1)


async def test_each_instance_has_its_own(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        for name in ("a", "b"):
            await RollUps(context, filled(since, 11), instance=name).write(since + 660)
        assert await context.fetchval(ROWS) == 8
        after = Store(interval=30)
        await RollUps(context, after, instance="c").start(since + 700)
        assert len(after) == 0


async def test_what_is_too_old_or_from_a_wrong_clock_is_deleted(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        clock = Clock()
        rollups = RollUps(context, Store(interval=30), clock=clock)
        await rollups.write(since)
        await context.execute("""
            insert into galvo.monitor_history
            select step, now() + make_interval(days => days), '', 'm rate', 1, 1
            from unnest(array[300, 300, 300, 3600, 3600, 3600], array[-8, -6, 40, -91, -89, 3650]) as r(step, days)
        """)
        await rollups.write(since)
        assert await context.fetchval(ROWS) == 6
        clock.now = 3600
        await rollups.write(since)
        kept = await context.fetch("select step, (at - now()) < '0' as past from galvo.monitor_history order by 1")
        assert [tuple(row) for row in kept] == [(300, True), (3600, True)]


async def test_a_clock_that_was_ahead_does_not_stop_the_writing(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        store = filled(since, 11)
        rollups = RollUps(context, store)
        for number in range(22):
            store.append(since + 3e8 + 30 * number, {LAG: -1.0})
            await rollups.write(since + 3e8 + 30 * number)
        for number in range(22, 44):
            store.append(since + 30 * number, {LAG: 2.0})
            await rollups.write(since + 30 * number)
        count = "select count(*) from galvo.monitor_history where at < now() and series = $1 and step = 300"
        assert await context.fetchval(count, str(LAG)) == 4
        after = Store(interval=30)
        await RollUps(context, after).start(since + 1320)
        assert -1 not in after.past(LAG, since - 1, since + 4e8).means


async def test_a_stretch_that_a_clock_set_back_has_begun_twice_is_one_row(dsn: str) -> None:
    async with running(dsn) as context:
        since = await begin(context)
        store = filled(since, 6)
        for number in range(20):
            store.append(since + 295 + 30 * number, {LAG: 50.0})
        assert len(store.rolled(300, since)) == 3
        rollups = RollUps(context, store)
        await rollups.write(since + 900)
        assert rollups.problem is None
        assert await context.fetchval("select high from galvo.monitor_history where series = $1", str(LAG)) == 50


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
