"""Figures of a hook's layers: right, bounded, and free when nobody looks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from galvo import (
    Freed,
    Kernel,
    KernelClosed,
    Level,
    MemoryPressure,
    Metric,
    Plugin,
    Proceed,
    Query,
    Rows,
    explain,
    hookimpl,
)
from galvo import observing as module
from galvo.observing import Latencies

pytestmark = pytest.mark.anyio


class Clock:
    """Stands still unless somebody says how long something took, in nanoseconds."""

    now = 1

    def __call__(self) -> int:
        return self.now

    def took(self, nanoseconds: int) -> None:
        self.now += nanoseconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "clock", made)
    return made


def stack(clock: Clock) -> Kernel:
    class Outer(Plugin):
        name = "outer"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            clock.took(5)
            if query.sql == "known":
                return Rows(("outer",))
            rows = await proceed(query)
            clock.took(7)
            return await proceed(query) if query.sql == "twice" else rows

        @hookimpl
        def on_cache_miss(self, query: Query) -> Rows | None:
            clock.took(2)
            return None

        @hookimpl
        def on_metric(self, metric: Metric) -> None:
            clock.took(3)

    class Inner(Plugin):
        name = "inner"
        gate: anyio.Event | None = None

        @hookimpl(trylast=True)
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            clock.took(20)
            if query.sql == "error":
                raise LookupError("the database's own")
            if self.gate:
                await self.gate.wait()
            return Rows(("inner",))

        @hookimpl(trylast=True)
        async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
            clock.took(4)
            return Rows((reason,))

        @hookimpl
        async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed:
            clock.took(6)
            return Freed(1)

    return Kernel.of({Inner: {"on_error": "raise"}, Outer: {}})


def functions(call: Any) -> Iterator[Callable[..., Any]]:
    """What the layers of a composed `on_query` call, outermost first."""
    while call.__closure__:
        cells = dict(zip(call.__code__.co_freevars, (cell.cell_contents for cell in call.__closure__), strict=True))
        if "inner" not in cells:
            return
        yield cells["function"]
        call = cells["inner"]


def plain(kernel: Kernel) -> bool:
    """Whether the published chain calls the plugins' own methods, with nothing between."""
    units = kernel.supervisor.units
    return list(functions(kernel.chains.on_query)) == [units[name].instance.on_query for name in ("outer", "inner")]  # type: ignore[attr-defined]  # those plugins have it


async def test_own_time_is_without_the_inner_layers(clock: Clock) -> None:
    async with stack(clock) as kernel:
        with kernel.observed() as seen:
            for sql in ("q", "q", "known"):
                await kernel.fetch(sql)
        await kernel.fetch("not seen")
    outer, inner = seen.figures("on_query", "outer"), seen.figures("on_query", "inner")
    assert (outer["calls"], inner["calls"]) == (3, 2)
    assert (outer["own_median"], outer["own_p99"]) == (12e-9, 12e-9)
    assert (outer["median"], outer["p99"]) == (32e-9, 32e-9)
    assert inner["own_p99"] == inner["p99"] == 20e-9


async def test_every_hook_has_figures(clock: Clock) -> None:
    async with stack(clock) as kernel:
        with kernel.observed() as seen:
            kernel.record(Metric("m"))
            assert await kernel.chains.on_cache_miss(Query("q"), "cold") == Rows(("cold",))
            assert (await kernel.relieve(MemoryPressure(Level.HIGH))).bytes == 1
    assert seen.figures("on_metric", "outer")["p99"] == 3e-9
    assert [seen.figures("on_cache_miss", name)["p99"] for name in ("outer", "inner")] == [2e-9, 4e-9]
    assert seen.figures("on_memory_pressure", "inner")["own_p99"] == 6e-9
    assert seen.figures("on_memory_pressure", "outer") == seen.figures("on_query", "nobody")


async def test_it_is_free_when_nobody_looks(clock: Clock) -> None:
    async with stack(clock) as kernel:
        assert plain(kernel)
        with kernel.observed():
            assert not plain(kernel)
            with kernel.observed():
                assert not plain(kernel)
            assert not plain(kernel)
        assert plain(kernel)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await kernel.explain("on_query", seconds=60)
        assert scope.cancelled_caught
        assert plain(kernel)


async def test_two_look_at_once_each_from_its_own_beginning(clock: Clock) -> None:
    async with stack(clock) as kernel:
        with kernel.observed() as first:
            await kernel.fetch("q")
            with kernel.observed() as second:
                await kernel.fetch("q")
            await kernel.fetch("q")
    assert [seen.figures("on_query", "inner")["calls"] for seen in (first, second)] == [3, 1]


async def test_plugins_that_come_and_go_meanwhile(clock: Clock) -> None:
    async with stack(clock) as kernel:
        with kernel.observed() as seen:
            await kernel.fetch("q")
            await kernel.disable("outer")
            await kernel.fetch("q")
            assert seen.figures("on_query", "outer")["calls"] == 1
            await kernel.enable("outer")
            await kernel.fetch("q")
        assert plain(kernel)
    assert [seen.figures("on_query", name)["calls"] for name in ("outer", "inner")] == [2, 3]


async def test_what_goes_wrong_goes_as_wrong_as_ever(clock: Clock) -> None:
    async with stack(clock) as kernel:
        with kernel.observed():
            with pytest.raises(LookupError, match="the database's own"):
                await kernel.fetch("error")
            assert await kernel.fetch("twice") == ["inner"], "the finished answer, though the plugin asked again"
        layers = (await kernel.explain("on_query"))["layers"]
    assert [layer["faults"] for layer in layers] == [1, 0]
    assert "called `proceed` again" in layers[0]["last_fault"]


async def test_a_call_that_has_not_ended(clock: Clock, until: Any) -> None:
    async with stack(clock) as kernel, anyio.create_task_group() as tasks:
        gate = kernel.supervisor.units["inner"].instance.gate = anyio.Event()  # type: ignore[attr-defined]  # it has one
        with kernel.observed() as seen:
            tasks.start_soon(kernel.fetch, "q")
            await until(lambda: seen.figures("on_query", "inner")["running"] == 1)
        assert seen.figures("on_query", "inner")["median"] is None
        gate.set()


async def test_explain_watches_and_says_why_each_is_where_it_is(clock: Clock) -> None:
    kernel = stack(clock)
    with pytest.raises(KernelClosed):
        await kernel.explain("on_query", seconds=1)
    async with kernel:
        told: dict[str, Any] = {}

        async def look() -> None:
            told.update(await kernel.explain("on_query", seconds=0.01))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            while not told:
                await kernel.fetch("q")
                await anyio.lowlevel.checkpoint()
    assert (told["hook"], told["kind"], told["seconds"]) == ("on_query", "around", 0.01)
    outer, inner = told["layers"]
    assert (outer["plugin"], outer["why"], outer["reason"]) == (
        "outer", "listed 2 of 2", "where it is listed, number 2 of 2",
    )  # fmt: skip
    assert (inner["plugin"], inner["why"]) == ("inner", "listed 1 of 2, trylast")
    assert "inside all that are not" in inner["reason"]
    assert outer["calls"] > 0
    assert outer["own_median"] == 12e-9


async def test_a_plugin_that_cannot_explain_a_statement_keeps_nobody_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers(Plugin):
        name = "answers"

        async def explain(self, query: Query) -> dict[str, Any] | None:
            return {"sql": query.sql}

    class Raises(Plugin):
        name = "raises"

        async def explain(self, query: Query) -> dict[str, Any] | None:
            raise ValueError("cannot say")

    class Hangs(Plugin):
        name = "hangs"

        async def explain(self, query: Query) -> dict[str, Any] | None:
            await anyio.sleep_forever()
            return None

    monkeypatch.setattr(explain, "DEADLINE", 0.01)
    async with Kernel.of({Raises: {}, Hangs: {}, Answers: {}}) as kernel:
        told = await kernel.explain("select 1")
    assert told == {
        "raises": {"fault": "ValueError: cannot say"},
        "hangs": {"fault": "TimeoutError"},
        "answers": {"sql": "select 1"},
    }


def test_quantiles_are_close_and_memory_is_bounded() -> None:
    chance = random.Random(11)
    values = sorted(int(10 ** chance.uniform(0, 11)) for _ in range(100_000))
    found = Latencies()
    for value in values:
        found.add(value)
    assert len(found._buckets) < 1_500
    for share in (0.01, 0.5, 0.9, 0.99, 1):
        exact = values[max(0, int(share * len(values)) - 1)]
        quantile = found.quantile(share)
        assert quantile is not None
        assert abs(quantile * 1e9 - exact) <= max(1, exact / 60)
    assert Latencies().quantile(0.5) is None
