"""Checks of how long a hook keeps the event loop from everybody else.

CPU time, the median of many runs, with what the same chain takes without the plugin taken away. A hook that waits
without `await` takes no CPU: it shows in the shortest wall time of all runs, which no busy machine makes longer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from statistics import median
from time import perf_counter, thread_time
from typing import Any

import msgspec

from galvo.events import Level, MemoryPressure, Metric, Query
from galvo.testing.base import Contract, for_hook
from galvo.testing.driving import Driven
from galvo.testing.probe import awaited
from galvo.testing.stage import NUMBERS, Running, Stage

RUNS = 15
BLOCKED = 0.01
"""Seconds without CPU and without `await`, in every run, that are no noise."""
HEARD = Metric("kit.budget", "histogram", "s")


class Took(msgspec.Struct, frozen=True):
    """Seconds of the longest step."""

    cpu: float
    wall: float


class Budget(Contract):
    @for_hook("on_query")
    async def test_time_of_on_query(self, stage: Stage) -> None:
        """No step of `on_query` keeps the event loop for longer than `budget`, asked anew or asked again."""
        async with stage.running(plugin=stage.plugin) as run:
            same = next(NUMBERS)
            await run.ask("at first", same)
            for numbers in (repeat(same), NUMBERS):

                def call(numbers: Iterator[int] = numbers) -> Awaitable[Any]:
                    return run.kernel.run(Query(stage.statement, (next(numbers),)))

                await _compared(run, "on_query", call)

    @for_hook("on_cache_miss")
    async def test_time_of_on_cache_miss(self, stage: Stage) -> None:
        """Nor does one of `on_cache_miss`."""
        async with stage.running(plugin=stage.plugin) as run:
            await _compared(
                run,
                "on_cache_miss",
                lambda: run.kernel.chains.on_cache_miss(Query(stage.statement, (next(NUMBERS),)), "cold"),
            )

    @for_hook("on_metric")
    async def test_time_of_on_metric(self, stage: Stage) -> None:
        """Nor does `on_metric`, which is called for every query and more."""

        async def record() -> None:
            run.kernel.record(HEARD, 0.1)

        async with stage.running(plugin=stage.plugin) as run:
            await _compared(run, "on_metric", record)

    @for_hook("on_memory_pressure")
    async def test_time_of_on_memory_pressure(self, stage: Stage) -> None:
        """Nor does one of `on_memory_pressure`, at any level."""
        async with stage.running(plugin=stage.plugin) as run:
            for level in (Level.ELEVATED, Level.HIGH, Level.CRITICAL, Level.NORMAL):
                await _compared(run, "on_memory_pressure", partial(run.kernel.relieve, MemoryPressure(level)))


async def _compared(run: Running, hook: str, call: Callable[[], Awaitable[Any]]) -> None:
    stage = run.stage
    with_it = [await longest(call) for _ in range(RUNS)]
    await run.kernel.disable(run.name)
    without = [await longest(call) for _ in range(RUNS)] if run.serving or hook != "on_query" else [Took(0, 0)]
    await run.kernel.enable(run.name)
    cpu = median(each.cpu for each in with_it) - median(each.cpu for each in without)
    limit = stage.budget[hook]
    stage.ensure(
        cpu <= limit,
        f"{hook} takes {cpu * 1000:.1f} ms of CPU between two awaits, and {limit * 1000:g} ms are allowed",
        f'Do less there, or in a thread (anyio.to_thread), or allow more: budget = {{"{hook}": ...}}',
    )
    blocked = _least(with_it) - _least(without)
    stage.ensure(
        blocked <= max(BLOCKED, 2 * limit),
        f"{hook} stops the event loop for {blocked * 1000:.0f} ms without computing",
        "Await instead: anyio.sleep, an async client, or anyio.to_thread for what blocks",
    )


def _least(took: Iterable[Took]) -> float:
    return min(each.wall - each.cpu for each in took)


async def longest(call: Callable[[], Awaitable[Any]]) -> Took:
    """The longest step of one call."""
    steps: list[Took] = []
    cpu = wall = 0.0

    def resumed() -> None:
        nonlocal cpu, wall
        cpu, wall = thread_time(), perf_counter()

    def suspended() -> None:
        steps.append(Took(thread_time() - cpu, perf_counter() - wall))

    await Driven(awaited(call()), suspended, resumed)
    suspended()
    return Took(max(each.cpu for each in steps), max(each.wall for each in steps))
