"""Checks of hooks that are given what nobody should send."""

from __future__ import annotations

from galvo.events import Freed, Level, MemoryPressure, Metric, Query, Rows
from galvo.testing.base import Contract, for_hook
from galvo.testing.leaks import held, traced
from galvo.testing.passing import outcome, said
from galvo.testing.payloads import ARGUMENTS, METRICS, REASONS, STATEMENTS, VALUES
from galvo.testing.stage import Running, Stage

HAND_ON = "Hand on with `proceed` what it does not understand"
SERIES = 2000
"""Values of one attribute."""
UNBOUNDED = 32 * 1024
"""Bytes for so many more series that are no noise."""


class Hostile(Contract):
    @for_hook("on_query")
    async def test_hostile_statements(self, stage: Stage) -> None:
        """Statements that are empty, huge, not text or not SQL get the database's own answer, and are no fault."""
        async with stage.running() as run:
            for sql in STATEMENTS:
                await _sent(run, Query(sql), f"rows of {sql[:30]!r}")
                await _sent(run, Query(sql, (), "status"), f"status of {sql[:30]!r}")
            await run.ask("after hostile statements")

    @for_hook("on_query")
    async def test_hostile_arguments(self, stage: Stage) -> None:
        """So do arguments of any kind, even if they cannot be shown, compared or hashed."""
        async with stage.running() as run:
            for args in ARGUMENTS:
                types = ", ".join(type(each).__name__ for each in args[:3])
                await _sent(run, Query(stage.statement, args), f"rows with ({types})")
                await _sent(run, Query(stage.statement, args, "status"), f"status with ({types})")
                await _sent(run, Query(stage.statement, (args, args), "many"), f"many with ({types})")
            await run.ask("after hostile arguments")

    @for_hook("on_cache_miss")
    async def test_hostile_cache_misses(self, stage: Stage) -> None:
        """Asked for what it cannot know, `on_cache_miss` gives None or Rows, and it is no fault."""
        async with stage.running() as run:
            queries = [*(Query(sql) for sql in STATEMENTS), *(Query(stage.statement, args) for args in ARGUMENTS)]
            for query in queries:
                for reason in REASONS[:: 1 if stage.thorough else 5]:
                    found = await run.kernel.chains.on_cache_miss(query, reason)
                    run.no_fault(f"on_cache_miss of {query.sql[:30]!r}", 'Give None for "not mine"')
                    stage.ensure(found is None or type(found) is Rows, f"it gives {found!r:.50}", "Give Rows or None")

    @for_hook("on_metric")
    async def test_hostile_metrics(self, stage: Stage) -> None:
        """Not a number, infinite, negative and huge values, odd names and attributes are no fault."""
        async with stage.running() as run:
            for metric in METRICS:
                for value in VALUES:
                    run.kernel.record(metric, value)
                    run.no_fault(f"on_metric of {metric.name[:20]!r}, {value!r}", "Skip values that say nothing")
            await run.ask("after hostile metrics")

    @for_hook("on_metric")
    async def test_bounded_metrics(self, stage: Stage) -> None:
        """However many values an attribute has, its memory stays within a bound."""
        async with stage.running() as run:
            with traced():
                sizes = [sum(held(stage.plugin).values())]
                for turn in range(4):
                    _series(run, turn * SERIES)
                    sizes.append(sum(held(stage.plugin).values()))
            run.no_fault(f"on_metric of {4 * SERIES} series", "Count what goes beyond the bound as one")
            grown = min(sizes[-1] - sizes[-2], sizes[-2] - sizes[-3])
            stage.ensure(
                grown < UNBOUNDED,
                f"{SERIES} more values of an attribute take {grown} bytes more, however many there were before",
                "Keep a bounded number of series, and count the rest as one",
            )

    @for_hook("on_memory_pressure")
    async def test_every_pressure(self, stage: Stage) -> None:
        """Every level, repeated, from any to any: it says how many bytes it freed, or None, and keeps working."""
        async with stage.running() as run:
            for level in (*Level, *reversed(Level), Level.CRITICAL, Level.CRITICAL, Level.NORMAL, Level.NORMAL):
                for over in (0, 1, -1, 2**62):
                    freed: Freed = await run.kernel.relieve(MemoryPressure(level, over))
                    run.no_fault(f"on_memory_pressure at {level.name}", "Give Freed or None")
                    stage.ensure(
                        type(freed.bytes) is int and freed.bytes >= 0,
                        f"at {level.name} it gives {freed!r}",
                        "Give Freed with the bytes that it freed, 0 or more",
                    )
                await run.ask(f"under {level.name} pressure")


async def _sent(run: Running, query: Query, what: str) -> None:
    witness, stage = run.witness, run.stage
    witness.error = None
    found = await outcome(run, query)
    if isinstance(found, Exception):
        stage.ensure(found is witness.error, f"{what} ends in its own {said(found)}", HAND_ON)
    elif witness.error is not None:
        stage.fail(f"{what} is answered although the database said {said(witness.error)}", HAND_ON)
    run.no_fault(what, HAND_ON)


def _series(run: Running, first: int) -> None:
    for number in range(first, first + SERIES):
        run.kernel.record(Metric("kit.series", attributes=(("who", str(number)),)), 1.0)
