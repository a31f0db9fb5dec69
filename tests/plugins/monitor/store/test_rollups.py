"""History in a real database: it survives a restart, and whatever is wrong there stops nobody."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from galvo import Context
from galvo_monitor.store import Store
from galvo_monitor.store.rollup import Moments
from galvo_monitor.store.rollups import RollUps
from tests.plugins.cache.stand import standing
from tests.plugins.monitor.store.history import DAY, HITS, LAG, ROWS, Clock, begin, filled, running

pytestmark = pytest.mark.anyio


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
