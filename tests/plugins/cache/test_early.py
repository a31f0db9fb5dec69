"""Answers near their end are served, and read anew by one reader in the background."""

from __future__ import annotations

import asyncio
import math
import random
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin, early, refreshing
from galvo_pool import PoolPlugin
from tests.plugins.cache.clock import Clock, costly, turned
from tests.plugins.cache.stand import PRICE, RAISE, SCHEMA, GatePlugin, Stand, standing

pytestmark = pytest.mark.anyio
OLD, NEW = Decimal("1.50"), Decimal("9.00")
TTL = {"ttl": 100, "jitter": 0}
NAMES = "select count(*) from material where name = any($1)"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What every draw gives, in costs before the end; counts them."""
    made = SimpleNamespace(gives=1.0, count=0)

    def expovariate(_: float) -> float:
        made.count += 1
        return float(made.gives)

    monkeypatch.setattr(early, "random", SimpleNamespace(expovariate=expovariate))
    return made


async def outside(stand: Stand) -> None:
    """A write that nobody notices, so that an answer shows when it was read."""
    await stand.other.execute("update material set price = 9 where id = 1")


async def test_a_hit_near_the_end_is_served_and_one_refresh_is_under_way(
    dsn: str, clock: Clock, draw: SimpleNamespace
) -> None:
    async with standing(dsn, TTL) as stand:
        assert await costly(stand, clock, 2.0, PRICE, 1) == OLD
        await outside(stand)
        clock.now += 97  # 3 s, or 1.5 costs, before the end
        draw.gives = 1.4
        assert await stand.kernel.fetchval(PRICE, 1) == OLD
        assert stand["refreshed_early"] == 0
        before, hits = stand.ran(PRICE), stand["hits"]
        draw.gives = 1.6
        stop = stand.gate.stop(PRICE)
        answers = await asyncio.gather(*(stand.kernel.fetchval(PRICE, 1) for _ in range(50)))
        await stop.reached.wait()
        assert [await stand.kernel.fetchval(PRICE, 1) for _ in range(10)] == [OLD] * 10
        assert answers == [OLD] * 50
        assert stand.ran(PRICE) == before + 1
        assert stand["hits"] == hits + 60
        stop.go.set()
        await turned(lambda: stand["refreshed_early"])
        assert await stand.kernel.fetchval(PRICE, 1) == NEW
        clock.now += 90
        assert await stand.kernel.fetchval(PRICE, 1) == NEW, "its time began anew"
        assert stand.ran(PRICE) == before + 1
        assert stand["refreshed_early"] == 1


async def test_who_comes_after_the_end_waits_for_the_refresh(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    async with standing(dsn, TTL) as stand:
        await costly(stand, clock, 2.0, PRICE, 1)
        clock.now += 99
        stop = stand.gate.stop(PRICE)
        await stand.kernel.fetchval(PRICE, 1)
        await stop.reached.wait()
        before = stand.ran(PRICE)
        clock.now += 2
        late = [asyncio.create_task(stand.kernel.fetchval(PRICE, 1)) for _ in range(5)]
        await asyncio.sleep(0)
        stop.go.set()
        assert await asyncio.gather(*late) == [OLD] * 5
        assert stand.ran(PRICE) == before
        assert stand["joined"] == 5


async def test_nobody_draws_long_before_the_end_and_0_is_off(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    draw.gives = 1e9
    for beta, reach in ((1.0, 16), (0.5, 8), (0, 0)):
        async with standing(dsn, TTL | {"early": beta}) as stand:
            await costly(stand, clock, 2.0, PRICE, 1)
            clock.now += 100 - reach - 0.1
            draws = draw.count
            await stand.kernel.fetchval(PRICE, 1)
            assert draw.count == draws, beta
            clock.now += 0.2 if beta else 0.05
            before = stand.ran(PRICE)
            await stand.kernel.fetchval(PRICE, 1)
            assert draw.count == draws + bool(beta), beta
            await turned(lambda stand=stand, beta=beta: stand["refreshed_early"] == bool(beta))
            assert stand.ran(PRICE) == before + bool(beta)
            await stand.other.execute("drop table material, job, log cascade")


def test_draws_are_those_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "random", random.Random(7))
    for left, cost, beta in ((1.0, 1.0, 1.0), (0.5, 1.0, 1.0), (3.0, 1.0, 2.0), (0.02, 0.01, 0.5)):
        share = sum(early.is_due(left, cost, beta) for _ in range(20_000)) / 20_000
        assert share == pytest.approx(math.exp(-left / (beta * cost)), abs=0.01)
    assert not any(early.is_due(left, 1.0, 0.0) for left in (0.0, 1e-9, 1.0))
    assert math.exp(-early.REACH) < 1 / 2900


@pytest.mark.parametrize("after", [False, True])
async def test_a_write_during_the_refresh_forbids_its_store(
    dsn: str, clock: Clock, draw: SimpleNamespace, after: bool
) -> None:
    async with standing(dsn, TTL) as stand:
        await costly(stand, clock, 2.0, PRICE, 1)
        clock.now += 99
        stop = stand.gate.stop(PRICE, after=after)
        await stand.kernel.fetchval(PRICE, 1)
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        stop.go.set()
        await turned(lambda: stand["refreshed_early"])
        assert stand["overtaken"] == 1
        for _ in range(2):
            assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_during_a_write_nothing_is_read_anew(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    """The write spares the answer, as it changes another column; but what is read now could not be kept."""
    async with standing(dsn, TTL) as stand:
        await costly(stand, clock, 2.0, PRICE, 1)
        clock.now += 99
        stop = stand.gate.stop("update material")
        write = asyncio.create_task(stand.kernel.execute("update material set name = 'x' where id = 1"))
        await stop.reached.wait()
        before = stand.ran(PRICE)
        assert await stand.kernel.fetchval(PRICE, 1) == OLD
        stop.go.set()
        await write
        assert stand.ran(PRICE) == before
        assert await stand.kernel.fetchval(PRICE, 1) == OLD
        await turned(lambda: stand["refreshed_early"])
        assert stand.ran(PRICE) == before + 1


async def test_its_errors_are_counted_and_it_is_tried_again_after_a_pause(
    dsn: str, clock: Clock, draw: SimpleNamespace
) -> None:
    async with standing(dsn, TTL) as stand:
        await costly(stand, clock, 20.0, PRICE, 1)
        clock.now += 95
        before = stand.ran(PRICE)
        await stand.other.execute("alter table material rename to gone")
        for passed, runs in ((0, 1), (refreshing.PAUSE / 2, 1), (refreshing.PAUSE, 2)):
            clock.now += passed
            for _ in range(3):
                assert await stand.kernel.fetchval(PRICE, 1) == OLD
                for _ in range(10):
                    await asyncio.sleep(0)
                await turned(lambda runs=runs: stand["refresh_errors"] == runs)
            assert stand.ran(PRICE) == before + runs
        assert stand["refreshed_early"] == 0
        assert stand.kernel.plugins()[0]["faults"] == 0
        clock.now += 10
        with pytest.raises(Exception, match="does not exist"):
            await stand.kernel.fetchval(PRICE, 1)


async def test_the_callers_list_is_its_own(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    async with standing(dsn, TTL) as stand:
        names = ["m1", "m2"]
        await stand.kernel.fetchval(NAMES, ["x"])
        stop = stand.gate.stop(NAMES)
        first = asyncio.create_task(stand.kernel.fetchval(NAMES, ["m1", "m2"]))
        await stop.reached.wait()
        clock.now += 2
        stop.go.set()
        assert await first == 2
        clock.now += 99
        assert await stand.kernel.fetchval(NAMES, names) == 2
        names.append("m3")
        await turned(lambda: stand["refreshed_early"])
        names.pop()
        assert await stand.kernel.fetchval(NAMES, names) == 2
        assert stand["refused_argument_changed"] == 0


async def test_computed_values_too(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    async with standing(dsn, TTL) as stand:
        calls = 0

        async def load() -> list[int]:
            nonlocal calls
            calls += 1
            clock.now += 2
            return [calls]

        async def value() -> Any:
            return await stand.kernel.cached("k", load, depends_on=["material"])

        assert await value() == [1]
        clock.now += 99
        got = await value()
        got.append("vandal")
        await turned(lambda: stand["refreshed_early"])
        assert await value() == [2]
        assert calls == 2


async def test_a_stop_cancels_it(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    plugins: dict[Any, Any] = {CachePlugin: TTL, GatePlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1}}
    with anyio.fail_after(10):
        async with Kernel.of(plugins, drain_timeout=0.1) as kernel:
            await kernel.execute(SCHEMA)
            gate: GatePlugin = kernel.find_capability("gate")
            stand = Stand(kernel, None)
            await costly(stand, clock, 2.0, PRICE, 1)
            clock.now += 99
            stop = gate.stop(PRICE)
            await kernel.fetchval(PRICE, 1)
            await stop.reached.wait()
        assert not stop.go.is_set()


async def test_when_every_hit_is_compared_none_goes_another_way(dsn: str, clock: Clock, draw: SimpleNamespace) -> None:
    async with standing(dsn, TTL | {"verify": 1.0}) as stand:
        await costly(stand, clock, 2.0, PRICE, 1)
        clock.now += 99
        before, draws = stand["verified"], draw.count
        assert await stand.kernel.fetchval(PRICE, 1) == OLD
        assert (stand["verified"], draw.count) == (before + 1, draws)
