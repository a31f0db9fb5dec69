"""Random days of reads, writes, outages and passing time: no answer ever exceeds what its call allows.

Values only grow and are never used twice, so an answer says until when it was current. `STALE_STEPS=100000` is longer.
"""

from __future__ import annotations

import asyncio
import bisect
import os
import random
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from galvo_cache import refreshing
from galvo_cache.sieve import Entry, Sieve
from tests.plugins.cache.clock import Clock
from tests.plugins.cache.stand import PRICE, Stand, standing
from tests.thorough import some

pytestmark = pytest.mark.anyio
STEPS = int(os.environ.get("STALE_STEPS", "1500"))
ROWS = 3
TTL = 20.0
TOTAL = "select sum(price) from material where id <= 3"
BOUNDS = (0.0, 0.5, 3.0, 10.0, 40.0)


class Wrong(AssertionError):
    """An answer had stopped being current too long ago."""


class History:
    """The values of one thing, each with the time since when it holds."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.values: list[Any] = []

    def add(self, time: float, value: Any) -> None:
        self.times.append(time)
        self.values.append(value)

    def end(self, value: Any) -> float:
        """When `value` stopped being current."""
        place = bisect.bisect_right(self.values, value)
        return self.times[place] if place < len(self.times) else float("inf")


class Day:
    def __init__(self, stand: Stand, clock: Clock, seed: int, outside: bool) -> None:
        self.stand, self.clock, self.outside = stand, clock, outside
        self.random = random.Random(seed)
        self.next = 100
        self.prices = dict.fromkeys(range(1, ROWS + 1), 0)
        self.histories: dict[Any, History] = {key: History() for key in (*self.prices, "total")}
        self.held: list[Any] = []
        self.reads: set[asyncio.Task[None]] = set()
        self.away = False

    async def run(self, steps: int) -> None:
        for row in self.prices:
            await self.write(row, self.stand.other)
        for key in self.histories:  # the catalog is read now, and not while the table is gone
            for _ in range(8):
                await self.check(key, None)
        moves: list[Callable[[], Any]] = [
            self.read, self.read, self.read, self.read, self.pass_time, self.change, self.hold, self.let_go, self.fail,
        ]  # fmt: skip
        for _ in range(steps):
            self.clock.now += 0.001
            done = self.random.choice(moves)()
            if done is not None:
                await done
            for _ in range(self.random.choice((0, 0, 3, 30))):
                await asyncio.sleep(0)
        while self.held:
            self.let_go()
        for task in [*self.reads]:
            await task

    async def read(self) -> None:
        allowed = self.random.choice((None, *BOUNDS))
        task = asyncio.create_task(self.check(self.random.choice([*self.histories]), allowed))
        self.reads.add(task)
        await asyncio.wait({task}, timeout=0.02 if self.held else 10)
        for ended in [task for task in self.reads if task.done()]:
            self.reads.discard(ended)
            ended.result()

    async def check(self, key: Any, allowed: float | None) -> None:
        kernel, began = self.stand.kernel, self.clock.now
        slack = TTL if self.outside else 0.0

        async def load() -> Any:
            return await kernel.fetchval(TOTAL)

        try:
            if key != "total":
                value = await kernel.fetchval(PRICE, key, stale_ok=allowed)
            elif self.random.random() < 0.5:
                value = await kernel.fetchval(TOTAL, stale_ok=allowed)
            else:
                slack *= 2  # it is made from an answer that has a time of its own
                value = await kernel.cached("total", load, depends_on=["material"], stale_ok=allowed)
        except asyncpg.PostgresError:
            return
        late = began - self.histories[key].end(int(value))
        if late > (allowed or 0.0) + slack:
            raise Wrong(f"{key}: {value} stopped being current {late:.3f} s before, allowed {allowed}")

    async def change(self) -> None:
        await self.write(self.random.choice([*self.prices]), self.stand.other if self.outside else self.stand.kernel)

    async def write(self, row: int, by: Any) -> None:
        self.next += 1
        try:
            if by is self.stand.kernel and self.random.random() < 0.3:
                async with by.transaction() as session:
                    await session.execute("update material set price = $2 where id = $1", row, self.next)
            else:
                await by.execute("update material set price = $2 where id = $1", row, self.next)
        except asyncpg.PostgresError:
            return
        self.prices[row] = self.next
        self.histories[row].add(self.clock.now, self.next)
        self.histories["total"].add(self.clock.now, sum(self.prices.values()))

    def pass_time(self) -> None:
        self.clock.now += self.random.choice((0.1, 0.4, 1.0, 4.0, 4.0, 12.0))

    def hold(self) -> None:
        if len(self.held) < 2:
            sql = self.random.choice((PRICE, TOTAL))
            self.held.append(self.stand.gate.stop(sql, after=self.random.random() < 0.5))

    def let_go(self) -> None:
        if self.held:
            stop = self.held.pop(0)
            stop.taken = True
            stop.go.set()

    async def fail(self) -> None:
        """The database refuses for a while."""
        if self.away or self.random.random() < 0.3:
            names = ("gone", "material") if self.away else ("material", "gone")
            await self.stand.other.execute(f"alter table {names[0]} rename to {names[1]}")
            self.away = not self.away


async def day(dsn: str, clock: Clock, seed: int, *, outside: bool = False, steps: int = STEPS) -> dict[str, float]:
    async with standing(dsn, {"ttl": TTL, "jitter": 0}, min_size=4) as stand:
        made = Day(stand, clock, seed, outside)
        if outside:
            made.hold = lambda: None  # type: ignore[method-assign]  # the TTL begins at the store
        try:
            await made.run(steps)
        finally:
            for task in made.reads:
                task.cancel()
        assert stand.kernel.plugins()[0]["faults"] == 0
        assert stand["wrong"] == 0
        return stand.kernel.plugin_stats("cache")


@pytest.mark.parametrize("outside", [False, True])
async def test_no_answer_exceeds_its_bound(dsn: str, monkeypatch: pytest.MonkeyPatch, outside: bool) -> None:
    stats = await day(dsn, Clock(monkeypatch), 3, outside=outside)
    least = STEPS / 100
    assert stats["hits"] > least
    assert stats["served_stale"] > least
    assert stats["refreshed_stale"] > least / 2
    assert stats["stale_if_error"] > 0
    assert stats["refresh_errors"] > 0


async def test_with_early_refreshes(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads cost nothing where time stands still, so here they are said to be dear."""
    clock = Clock(monkeypatch)
    made = Entry.__init__

    def dear(self: Entry, *args: Any, ends: float, **more: Any) -> None:
        made(self, *args, ends=ends, **{**more, "cost": 3.0})
        self.expires = ends - 15

    monkeypatch.setattr(Entry, "__init__", dear)
    stats = await day(dsn, clock, 5)
    assert stats["refreshed_early"] > STEPS / 400


TOLERABLE = refreshing.is_tolerable


def _alive(self: Sieve, entry: Entry) -> None:
    if not entry.plan.keeps_stale:
        self.remove(entry)


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "anything is tolerable": (refreshing, "is_tolerable", lambda entry, stale_ok, now, *, trusted: True),
    "the end of the TTL counts, invalidated or not": (
        refreshing, "is_tolerable", lambda entry, stale_ok, now, *, trusted: now - entry.ends <= stale_ok
    ),
    "dead ones are alive": (Sieve, "invalidate", _alive),
    "a bound is doubled": (
        refreshing, "is_tolerable",
        lambda entry, stale_ok, now, *, trusted: TOLERABLE(entry, 2 * stale_ok, now, trusted=trusted),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", some(MUTANTS))
async def test_the_oracle_finds_a_broken_rule(dsn: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(*MUTANTS[name])
    with pytest.raises(Wrong):
        await day(dsn, Clock(monkeypatch), 3, steps=4000)
