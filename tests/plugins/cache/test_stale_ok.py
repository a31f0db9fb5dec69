"""A call that says so gets an answer that stopped being current not long ago; nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from galvo import ForCaller, GalvoError, Query
from galvo_cache.refreshing import AT_ONCE, is_outage
from tests.plugins.cache.clock import Clock, turned
from tests.plugins.cache.stand import ALL, PRICE, RAISE, Stand, locked, standing

pytestmark = pytest.mark.anyio
OLD, NEW = Decimal("1.50"), Decimal("2.50")
TTL = {"ttl": 100, "jitter": 0}
TOTAL = "select sum(price) from material"
Read = Callable[..., Awaitable[Any]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def asked(stand: Stand, sql: str, *args: Any) -> Any:
    """Read until kept, by a call that takes stale answers."""
    for _ in range(2):
        value = await stand.kernel.fetchval(sql, *args, stale_ok=0)
    return value


async def test_invalidated_answers_are_for_those_only_who_ask(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        for sql, args in ((PRICE, (1,)), (TOTAL, ())):
            before = await asked(stand, sql, *args)
            clock.now += 10
            await stand.kernel.execute("update material set price = price + 1 where id = 1")
            count, served = stand.ran(sql), stand["served_stale"]
            for seconds in (None, 0, 9.9, -1, float("nan")):
                stop = stand.gate.stop(sql)
                task = asyncio.create_task(stand.kernel.fetchval(sql, *args, stale_ok=seconds))
                await stop.reached.wait()
                task.cancel()
                await asyncio.wait([task])
            assert stand.ran(sql) == count + 5, "each of them asked the database"
            assert stand["served_stale"] == served
            stop = stand.gate.stop(sql)
            assert await stand.kernel.fetchval(sql, *args, stale_ok=10.1) == before
            await stop.reached.wait()
            assert await stand.kernel.fetchval(sql, *args, stale_ok=60) == before
            assert stand.ran(sql) == count + 6, "one refresh is enough"
            other = asyncio.create_task(stand.kernel.fetchval(sql, *args))
            await asyncio.sleep(0)
            stop.go.set()
            assert await other == await stand.truth(sql, *args)
            assert await stand.fresh(sql, *args) == await stand.kernel.fetchval(sql, *args, stale_ok=60)
            assert stand["served_stale"] == served + 2
            await stand.kernel.execute("update material set price = price - 1 where id = 1")
        await turned(lambda: stand["refreshed_stale"] == 2)
        assert stand["stale_if_error"] == 0
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_the_first_row_all_rows_and_computed_values(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        calls = 0

        async def load() -> int:
            nonlocal calls
            calls += 1
            return calls

        async def rows() -> Any:
            return [tuple(row) for row in await stand.kernel.fetch(ALL, stale_ok=60)]

        async def row() -> Any:
            return tuple(await stand.kernel.fetchrow(ALL, stale_ok=60))

        async def value() -> Any:
            return await stand.kernel.cached("k", load, depends_on=["material"], stale_ok=60)

        for read in (rows, row, value):
            first, refreshed = await read(), stand["refreshed_stale"]
            await stand.kernel.execute("update material set name = name || '!'")
            assert await read() == first
            await turned(lambda refreshed=refreshed: stand["refreshed_stale"] == refreshed + 1)
            assert await read() != first


async def test_an_answer_whose_time_has_ended(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        await asked(stand, PRICE, 1)
        await stand.other.execute("update material set price = 2.5 where id = 1")
        clock.now += 109
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=10) == OLD
        await turned(lambda: stand["refreshed_stale"])
        assert await stand.kernel.fetchval(PRICE, 1) == NEW
        await stand.other.execute("update material set price = 3.5 where id = 1")
        clock.now += 111
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=10) == Decimal("3.50")
        assert stand["served_stale"] == 1


async def test_one_whose_time_has_ended_and_that_was_invalidated_has_the_narrower_bound(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        for sql, args in ((PRICE, (1,)), (TOTAL, ())):
            await asked(stand, sql, *args)
            clock.now += 101
            await stand.kernel.execute(RAISE, 1)
            assert await stand.kernel.fetchval(sql, *args, stale_ok=100) == await stand.truth(sql, *args)
        assert stand["served_stale"] == 0


async def test_during_a_write_it_is_served_and_not_read_anew(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        await asked(stand, PRICE, 1)
        stop = stand.gate.stop("update material")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        await stop.reached.wait()
        before = stand.ran(PRICE)
        assert [await stand.kernel.fetchval(PRICE, 1, stale_ok=1) for _ in range(3)] == [OLD] * 3
        stop.go.set()
        await write
        assert stand.ran(PRICE) == before
        assert await stand.fresh(PRICE, 1) == NEW


async def test_a_refresh_overtaken_by_another_write_is_not_kept(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        await asked(stand, PRICE, 1)
        await stand.kernel.execute(RAISE, 1)
        stop = stand.gate.stop(PRICE, after=True)
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=1) == OLD
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        stop.go.set()
        await turned(lambda: stand["refreshed_stale"])
        assert stand["overtaken"] == 1
        assert await stand.fresh(PRICE, 1) == Decimal("3.50")


async def test_what_nobody_asks_for_stale_is_not_kept_dead(dsn: str) -> None:
    async with standing(dsn, TTL) as stand:
        await stand.warm(PRICE, 1)
        await stand.kernel.execute(RAISE, 1)
        assert stand["entries"] == 0
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=60) == NEW, "the first one to ask finds nothing"
        await stand.kernel.execute(RAISE, 1)
        assert stand["entries"] == 1
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=60) == NEW


async def test_background_reads_leave_connections_to_others(dsn: str) -> None:
    async with standing(dsn, TTL) as stand:
        await stand.other.execute("insert into material select g, 'm', g, '{}' from generate_series(6, 9) g")
        rows = range(1, 10)
        for number in rows:
            await asked(stand, PRICE, number)
        await stand.kernel.execute("update material set price = price + 1")
        before = stand.ran(PRICE)
        stops = [stand.gate.stop(PRICE) for _ in rows]
        answers = [await stand.kernel.fetchval(PRICE, number, stale_ok=60) for number in rows]
        await stops[AT_ONCE - 1].reached.wait()
        assert stand["served_stale"] == len(answers) == 9
        assert stand.ran(PRICE) == before + AT_ONCE
        for stop in stops:
            stop.go.set()
        for refreshed in (AT_ONCE, 9):
            await turned(lambda refreshed=refreshed: stand["refreshed_stale"] == refreshed)
            for number in rows:
                await stand.kernel.fetchval(PRICE, number, stale_ok=60)
        assert [await stand.kernel.fetchval(PRICE, number, stale_ok=60) for number in rows] == [
            await stand.truth(PRICE, number) for number in rows
        ]


async def test_dead_answers_stay_within_the_bytes(dsn: str) -> None:
    async with standing(dsn, TTL | {"max_bytes": 2**16}) as stand:
        await stand.other.execute("insert into material select g, 'm', g, '{}' from generate_series(10, 400) g")
        for number in range(10, 60):
            await stand.kernel.fetchval(PRICE, number, stale_ok=60)
        for number in range(10, 40):
            await stand.kernel.execute(RAISE, number)
        cache = stand.kernel.find_capability("cache")
        plan = cache._plans.get(PRICE)
        lane = cache._ledger._tables[plan.slices[0].table].lanes["id"]
        assert not lane.entries.keys() & set(range(10, 40)), "the ledger has no more to do with them"
        for number in range(10, 400):
            await stand.kernel.fetchval(PRICE, number)
            entries = [*plan.one.values()]
            assert stand["bytes"] == sum(entry.weight for entry in entries) <= 2**16
            assert stand["entries"] == len(entries)
        assert await stand.fresh(PRICE, 10) == 11


async def test_a_schema_change_leaves_nothing(dsn: str) -> None:
    async with standing(dsn, TTL) as stand:
        await asked(stand, PRICE, 1)
        await stand.kernel.execute("alter table material alter price type text")
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=60) == "1.50"
        stand.kernel.find_capability("cache").reset()
        before = stand.ran(PRICE)
        await stand.kernel.fetchval(PRICE, 1, stale_ok=60)
        assert stand.ran(PRICE) == before + 1, "another database answers now"


async def test_in_a_session_it_changes_nothing(dsn: str) -> None:
    async with standing(dsn, TTL) as stand:
        await asked(stand, PRICE, 1)
        async with stand.kernel.transaction() as session:
            await session.execute(RAISE, 1)
            assert await session.fetchval(PRICE, 1, stale_ok=60) == NEW
        async with stand.kernel.acquire() as session:
            assert await session.fetchval(PRICE, 1, stale_ok=60) == NEW
        assert stand["served_stale"] == 0


# -- stale-if-error ---------------------------------------------------------------------------------------


async def test_as_long_as_the_database_fails(dsn: str, clock: Clock) -> None:
    async with standing(dsn, TTL) as stand:
        await asked(stand, PRICE, 1)
        await stand.kernel.execute(RAISE, 1)
        await stand.other.execute("alter table material rename to gone")
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=10) == OLD
        await turned(lambda: stand["refresh_errors"])
        assert stand["stale_if_error"] == 0, "nobody knew yet"
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=10) == OLD
        assert (stand["served_stale"], stand["stale_if_error"]) == (2, 1)
        with pytest.raises(asyncpg.UndefinedTableError):
            await stand.kernel.fetchval(PRICE, 1)
        clock.now += 11
        with pytest.raises(asyncpg.UndefinedTableError):
            await stand.kernel.fetchval(PRICE, 1, stale_ok=10)
        await stand.other.execute("alter table gone rename to material")
        assert await stand.kernel.fetchval(PRICE, 1, stale_ok=20) == OLD
        await turned(lambda: stand["refreshed_stale"])
        assert await stand.fresh(PRICE, 1) == NEW
        assert stand.kernel.plugins()[0]["faults"] == 0


@pytest.mark.parametrize("lost", [False, True])
async def test_an_answer_that_came_while_the_read_failed(dsn: str, clock: Clock, lost: bool) -> None:
    """When it began there was nothing to serve; now there is what another one has read."""
    async with standing(dsn, TTL, min_size=2) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        wants = [None, 10.0]
        stops = [stand.gate.stop(PRICE) for _ in wants]
        reads = []
        for stop, seconds in zip(stops, wants, strict=True):
            reads.append(asyncio.create_task(stand.kernel.fetchval(PRICE, 1, stale_ok=seconds)))
            await stop.reached.wait()
            await stand.kernel.execute(RAISE, 1)
        assert await stand.kernel.fetchval(PRICE, 1) == Decimal("3.50")
        await stand.kernel.execute(RAISE, 1)
        entry = stand.kernel.find_capability("cache")._plans.get(PRICE).one[(1,)]
        assert entry.generation == -1
        if lost:
            await stand.other.execute("begin; lock material")
        else:
            await stand.other.execute("alter table material rename to gone")
        for stop in stops:
            stop.go.set()
        if lost:
            await locked(stand.other)
            await turned(lambda: stand.kernel.plugin_stats("pool")["size"] >= 2)
            ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'galvo%'"
            while not all(read.done() for read in reads):
                await stand.other.execute(f"{ended} and datname = current_database()")
                await asyncio.sleep(0.01)
            await stand.other.execute("rollback")
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
        assert isinstance(outcomes[0], asyncpg.PostgresError)
        assert outcomes[1] == Decimal("3.50")
        assert (stand["served_stale"], stand["stale_if_error"]) == (1, 1)
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_not_when_the_callers_own_time_is_over(dsn: str) -> None:
    async with standing(dsn, TTL, min_size=2) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        stop = stand.gate.stop(PRICE)
        read = asyncio.create_task(stand.kernel.fetchval(PRICE, 1, stale_ok=60, timeout=0.05))
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 2)
        plan = stand.kernel.find_capability("cache")._plans.get(PRICE)
        plan.generation += 1  # nobody joins the one that waits
        assert await stand.kernel.fetchval(PRICE, 1) == OLD
        await stand.other.execute("begin; lock material")
        stop.go.set()
        with pytest.raises(TimeoutError):
            await read
        assert stand["stale_if_error"] == 0


def test_which_errors_are_the_databases() -> None:
    patient, hasty = Query("q"), Query("q", timeout=1.0)
    for error in (
        asyncpg.UndefinedTableError("x"), asyncpg.ConnectionDoesNotExistError("x"), asyncpg.InterfaceError("x"),
        asyncpg.QueryCanceledError("x"), ConnectionRefusedError(), FileNotFoundError(), OSError(),
    ):  # fmt: skip
        assert is_outage(error, patient)
        assert is_outage(error, hasty)
    assert is_outage(TimeoutError(), patient)
    assert not is_outage(TimeoutError(), hasty)
    for other in (LookupError(), GalvoError("x"), ForCaller(TimeoutError()), ValueError()):
        assert not is_outage(other, patient)
