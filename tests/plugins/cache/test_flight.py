"""Many readers of one thing are one query, and none of them pays for another's fate."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import pytest

from tests.plugins.cache.stand import ALL, PRICE, RAISE, Stand, standing

pytestmark = pytest.mark.anyio


async def crowd(stand: Stand, count: int = 100) -> list[asyncio.Task[Any]]:
    """Readers that all came while the first one waits in the gate."""
    await stand.kernel.fetchval(PRICE, 99)
    stop = stand.gate.stop(PRICE)
    tasks = [asyncio.create_task(stand.kernel.fetchval(PRICE, 1)) for _ in range(count)]
    await stop.reached.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_hundred_readers_are_one_query(dsn: str) -> None:
    async with standing(dsn) as stand:
        tasks = await crowd(stand)
        before = stand.ran(PRICE)  # with the one that waits in the gate
        stand.gate.stops[0].go.set()
        assert await asyncio.gather(*tasks) == [Decimal("1.50")] * 100
        assert stand.ran(PRICE) == before
        assert stand["joined"] == 99
        assert not stand.kernel.find_capability("cache")._plans.get(PRICE).flights


async def test_unlike_readers_do_not_join(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        await stand.kernel.fetch(ALL)
        await stand.kernel.execute("update material set price = price + 1, name = name where id = $1", 1)
        before = stand.ran(PRICE) + stand.ran(ALL)
        one, two, row, rows = await asyncio.gather(
            stand.kernel.fetchval(PRICE, 1),
            stand.kernel.fetchval(PRICE, 2),
            stand.kernel.fetchrow(ALL),
            stand.kernel.fetch(ALL),
        )
        assert (one, two, row["id"], len(rows)) == (Decimal("2.50"), Decimal("3.00"), 1, 5)
        assert stand.ran(PRICE) + stand.ran(ALL) == before + 4
        assert stand["joined"] == 0


@pytest.mark.parametrize("after", [False, True])
async def test_the_leader_is_cancelled(dsn: str, after: bool) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        stop = stand.gate.stop(PRICE, after=after)
        leader = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await stop.reached.wait()
        others = [asyncio.create_task(stand.kernel.fetchval(PRICE, 1)) for _ in range(99)]
        await asyncio.sleep(0)
        before = stand.ran(PRICE)
        leader.cancel()
        assert await asyncio.gather(*others) == [Decimal("1.50")] * 99
        assert leader.cancelled()
        assert stand.ran(PRICE) == before + 1
        assert stand["joined"] == 98


async def test_cancelled_waiters_leave_alone(dsn: str) -> None:
    async with standing(dsn) as stand:
        tasks = await crowd(stand, 50)
        for task in tasks[1::2]:
            task.cancel()
        await asyncio.sleep(0)
        stand.gate.stops[0].go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert answers[0::2] == [Decimal("1.50")] * 25
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[1::2])
        assert stand.ran(PRICE) == 2


async def test_the_leaders_error_is_its_own(dsn: str) -> None:
    """It timed out on a lock; those who wait have time."""
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        await stand.other.execute("begin; lock material")
        leader = asyncio.create_task(stand.kernel.fetchval(PRICE, 1, timeout=0.1))
        await asyncio.sleep(0)
        others = [asyncio.create_task(stand.kernel.fetchval(PRICE, 1)) for _ in range(5)]
        with pytest.raises(TimeoutError):
            await leader
        with anyio.fail_after(10):
            while stand.ran(PRICE) < 7:  # noqa: ASYNC110  # they do not queue behind one another either
                await asyncio.sleep(0)
        await stand.other.execute("rollback")
        assert await asyncio.gather(*others) == [Decimal("1.50")] * 5


async def test_everybody_gets_the_databases_own_error(dsn: str) -> None:
    async with standing(dsn) as stand:
        ratio = "select 1 / (price - 1.5) from material where id = $1"
        await stand.kernel.fetchval(ratio, 2)
        outcomes = await asyncio.gather(*(stand.kernel.fetchval(ratio, 1) for _ in range(10)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncpg.DivisionByZeroError}
        assert len({id(outcome) for outcome in outcomes}) == 10, "an exception is not shared between tasks"
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_a_waiter_has_its_own_timeout(dsn: str) -> None:
    async with standing(dsn) as stand:
        tasks = await crowd(stand, 2)
        outcome = await asyncio.gather(stand.kernel.fetchval(PRICE, 1, timeout=0.02), return_exceptions=True)
        stand.gate.stops[0].go.set()
        assert await asyncio.gather(*tasks) == [Decimal("1.50")] * 2
        assert type(outcome[0]) is TimeoutError
        assert stand.kernel.plugins()[0]["faults"] == 0


@pytest.mark.parametrize("after", [False, True])
async def test_nobody_joins_a_flight_from_before_an_acknowledged_write(dsn: str, after: bool) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        stop = stand.gate.stop(PRICE, after=after)
        early = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        for _ in range(2):
            with anyio.fail_after(10):
                assert await stand.kernel.fetchval(PRICE, 1) == Decimal("2.50")
        stop.go.set()
        assert await early == (Decimal("1.50") if after else Decimal("2.50"))
        assert stand["overtaken"] == 1
        assert stand["joined"] == 0
        assert await stand.warm(PRICE, 1) == Decimal("2.50")


async def test_a_waiter_from_before_the_write_and_a_cancelled_leader(dsn: str) -> None:
    """Both began before the write; what the waiter then reads itself is new, and may be kept only as such."""
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        stop = stand.gate.stop(PRICE, after=True)
        leader = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await stop.reached.wait()
        waiter = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await asyncio.sleep(0)
        await stand.kernel.execute(RAISE, 1)
        leader.cancel()
        assert await waiter == Decimal("2.50")
        assert await stand.warm(PRICE, 1) == Decimal("2.50")


async def test_a_plan_that_goes_while_it_is_read(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 99)
        stop = stand.gate.stop(PRICE, after=True)
        early = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await stop.reached.wait()
        waiter = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await asyncio.sleep(0)
        await stand.kernel.execute("alter table material alter price type text")
        assert await stand.kernel.fetchval(PRICE, 1) == "1.50"
        early.cancel()
        assert await waiter == "1.50"
        await stand.kernel.execute("update material set price = '9' where id = 1")
        assert await stand.fresh(PRICE, 1) == "9"
        assert await stand.warm(PRICE, 1) == "9"
