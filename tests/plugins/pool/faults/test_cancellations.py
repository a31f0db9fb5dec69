"""Tasks are cancelled at random, wherever they are: every connection comes back, clean, and what was done counts."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import asyncpg
import pytest

from tests.plugins.pool.faults.load import Load
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.where import where
from tests.plugins.pool.faults.whole import whole

pytestmark = pytest.mark.anyio
COUNT = int(os.environ.get("GALVO_FAULT_CANCELLATIONS", "500"))
"""Of each variant; the long run is 10000."""
CLIENTS = 10


class Cancelled(Load):
    """More places at which to be cancelled."""

    async def by_hand(self) -> None:
        con = await self.pool.acquire()
        try:
            await con.fetchval("select pg_sleep(0.001)")
        finally:
            await self.pool.release(con)

    async def in_release(self) -> None:
        """Only its release is cut."""
        con = await self.pool.acquire()
        await con.execute("set search_path = nowhere")
        release = asyncio.ensure_future(self.pool.release(con))
        del con
        for _ in range(self._chance.randrange(6)):
            await asyncio.sleep(0)
        release.cancel()
        await asyncio.wait([release])

    async def in_time(self) -> None:
        await asyncio.wait_for(self.sleeping(), self._chance.random() * 0.004)

    async def acquire_in_time(self) -> None:
        con = await asyncio.wait_for(self.pool.acquire(), self._chance.random() * 0.002)
        await self.pool.release(con)

    async def acquire_timeout(self) -> None:
        async with self.pool.acquire(timeout=self._chance.random() * 0.002) as con:
            await con.fetchval("select 1")

    async def statement_timeout(self) -> None:
        async with self.pool.acquire() as con:
            await con.fetchval("select pg_sleep(0.01)", timeout=0.002)

    async def sleeping(self) -> None:
        async with self.pool.acquire() as con, con.transaction():
            await con.fetchval("select pg_sleep(0.001)")

    async def prepared(self) -> None:
        async with self.pool.acquire() as con:
            statement = await con.prepare("select $1::int")
            assert await statement.fetchval(7) == 7

    async def cursor(self) -> None:
        async with self.pool.acquire() as con, con.transaction():
            assert [row[0] async for row in con.cursor("select generate_series(1, 70)")] == [*range(1, 71)]

    async def one(self, seen: Counter[str]) -> None:
        acts: tuple[Callable[[], Awaitable[None]], ...] = (
            self.read, self.execute, self.transaction, self.many, self.copy, self.trace, self.by_hand, self.in_release,
            self.in_time, self.acquire_in_time, self.acquire_timeout, self.statement_timeout, self.prepared,
            self.cursor,
        )  # fmt: skip
        act, chance = self._chance.choice(acts), self._chance
        task = asyncio.ensure_future(act())
        for _ in range(chance.choice((1, 1, 2, 3))):
            for _ in range(chance.randrange(14)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * 0.012)
            if task.cancel():
                seen["cancel"] += 1
        await asyncio.wait([task], timeout=30)
        if not task.done():
            self.wrong.append(f"{act.__name__} hangs: {where(task)}")
        elif task.cancelled():
            seen["cancelled"] += 1
        elif isinstance(task.exception(), TimeoutError):
            seen["timed out"] += 1
        elif task.exception() is not None:
            self.wrong.append(f"{act.__name__}: {task.exception()!r}")
        else:
            seen["done"] += 1


@pytest.mark.timeout(120 + COUNT // 10)
@pytest.mark.parametrize("variant", VARIANTS)
async def test_random_cancellations(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    async with pooled(dsn, variant) as pool:
        load, seen = Cancelled(pool, seed=7), Counter[str]()

        def enough() -> bool:
            """How many of them end in which way is the machine's matter."""
            return seen["cancelled"] >= COUNT and seen["done"] > COUNT / 20 and seen["timed out"] > COUNT / 100

        async def client() -> None:
            while not (enough() or load.wrong):
                await load.one(seen)

        with load.listening():
            await asyncio.gather(*(client() for _ in range(CLIENTS)))
        print(f"{variant}: {dict(seen)}, {len(load.acknowledged)} rows acknowledged")
        assert seen["done"] > COUNT / 20, "some must not have been cut, or nothing was tested"
        assert seen["timed out"] > COUNT / 100
        await load.survived(other)
        await whole(pool, other)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_cancelled_waiters_are_passed_over(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    """Those that are cancelled when the connection has just been handed to them, too."""
    chance = Random(1)
    async with pooled(dsn, variant, max_size=1) as pool:
        await pool.fetchval("select random()")

        async def borrow() -> int:
            async with pool.acquire() as con:
                return int(await con.fetchval("select 1"))

        for _ in range(50):
            con = await pool.acquire()
            waiting = [asyncio.create_task(borrow()) for _ in range(8)]
            await asyncio.sleep(0)
            doomed = [task for task in waiting if chance.random() < 0.5]
            before = chance.randrange(len(doomed) + 1)
            for task in doomed[:before]:
                task.cancel()
            await pool.release(con)  # without a reset: to the first of them, which has not run yet
            for task in doomed[before:]:
                task.cancel()
            async with asyncio.timeout(20):
                outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            for task, outcome in zip(waiting, outcomes, strict=True):
                assert outcome == 1 or (task in doomed and isinstance(outcome, asyncio.CancelledError)), outcome
        await whole(pool, other)


@pytest.mark.parametrize("lent", [False, True])
async def test_who_is_in_a_hurry_does_not_keep_the_cache_from_its_catalog(
    dsn: str, other: asyncpg.Connection, lent: bool
) -> None:
    async with pooled(dsn, "cache and pool") as pool:
        assert pool.kernel is not None
        knowledge = pool.kernel.find_capability("cache")._knowledge

        async def ask() -> None:
            if lent:
                async with pool.acquire() as con:
                    await con.fetchval("select 1")
            else:
                await pool.fetchval("select 1")

        for _ in range(1000):
            task = asyncio.create_task(ask())
            await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])
            if knowledge.loaded:
                break
        assert knowledge.loaded
        await whole(pool, other)
