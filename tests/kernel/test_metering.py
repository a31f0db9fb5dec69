from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import anyio
import pytest

from galvo import Kernel, Metering, Metric, Plugin, Proceed, Query, Rows, hookimpl
from galvo.blueprint import of_classes

HITS = Metric("hits")
SIZE = Metric("size", "gauge", "By")


class Told:
    def __init__(self) -> None:
        self.stats: dict[str, float] = {}
        self.seen: list[tuple[str, tuple[str, ...], float]] = []
        self.metering = Metering(
            self.record,
            lambda: dict(self.stats),
            {"hits": HITS},
            {"bytes": SIZE},
            {"misses": Metering.by("reason", "misses", "1"), "misses_of": Metering.by("who", "misses.of", "1")},
        )

    def record(self, metric: Metric, value: float) -> None:
        self.seen.append((metric.name, tuple(text for _, text in metric.attributes), value))

    def after(self, **stats: float) -> list[tuple[str, tuple[str, ...], float]]:
        self.stats = stats
        self.seen.clear()
        self.metering.record()
        return [*self.seen]


def test_counters_tell_what_has_come() -> None:
    told = Told()
    assert told.after(hits=3) == [("hits", (), 3)]
    assert told.after(hits=3) == []
    assert told.after(hits=7.5) == [("hits", (), 4.5)]


def test_gauges_tell_what_is() -> None:
    told = Told()
    assert told.after(bytes=3) == told.after(bytes=3) == [("size", (), 3)]
    assert told.after() == [], "unknown"


def test_a_group_has_an_attribute() -> None:
    told = Told()
    assert told.after(misses_cold=1, misses_a_b=2, misses_of_two=3, misses=9, other_cold=9, unknown=9) == [
        ("misses", ("cold",), 1),
        ("misses", ("a_b",), 2),
        ("misses.of", ("two",), 3),
    ]


def test_what_falls_has_begun_anew() -> None:
    told = Told()
    told.after(hits=10)
    assert told.after(hits=4) == [("hits", (), 4)]
    assert told.after(hits=5) == [("hits", (), 1)]


def test_what_falls_by_rounding_has_not() -> None:
    told = Told()
    told.after(hits=0.1 + 0.2 + 0.3)
    assert told.after(hits=0.3 + 0.2 + 0.1) == []


def test_what_is_not_there_once_goes_on_where_it_was() -> None:
    told = Told()
    told.after(hits=100)
    assert told.after() == []
    assert told.after(hits=101) == [("hits", (), 1)]


class Counting(Plugin):
    name = "counting"
    asked = 0

    def stats(self) -> dict[str, float]:
        return {"hits": self.asked}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Metering(self.context.record, self.stats, {"hits": HITS}, {}).run)
            yield
            tasks.cancel_scope.cancel()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.asked += 1
        return Rows()


class Sink(Plugin):
    name = "sink"
    after = ("counting",)  # it stops first, as `monitor` does
    told: ClassVar[list[float]] = []

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.told.append(value)


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["stop", "disable counting", "disable sink", "reload counting", "reload sink"])
async def test_nothing_is_lost_at_the_end(how: str) -> None:
    Sink.told.clear()
    what, _, name = how.partition(" ")
    kernel = Kernel.of({Counting: {}, Sink: {}})
    async with kernel:
        await anyio.wait_all_tasks_blocked()
        for _ in range(3):
            await kernel.fetch("q")
        assert Sink.told == []
        if what == "disable":
            await kernel.disable(name)
        elif what == "reload":
            new = {cls: {"on_error": "raise"} if cls.name == name else {} for cls in (Counting, Sink)}
            assert await kernel.supervisor.reload(of_classes(new, {}).blueprints) == [name]
            await kernel.fetch("q")
        if what != "stop":
            assert sum(Sink.told) == 3
    assert sum(Sink.told) == 3 + (what == "reload")


@pytest.mark.anyio
async def test_counters_that_fail_do_not_keep_a_kernel_from_ending() -> None:
    class Failing(Counting):
        def stats(self) -> dict[str, float]:
            raise ZeroDivisionError

    async with Kernel.of({Failing: {}, Sink: {}}) as kernel:
        await anyio.wait_all_tasks_blocked()
    assert [info["state"] for info in kernel.plugins()] == ["stopped", "stopped"]
    assert kernel.plugins()[0]["last_fault"] == "stats: ZeroDivisionError"
