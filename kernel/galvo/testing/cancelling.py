"""Checks of calls that are cancelled while a hook of the plugin takes part in them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from galvo.events import Level, MemoryPressure, Query
from galvo.testing.base import Contract, for_hook
from galvo.testing.driving import Driven
from galvo.testing.probe import awaited
from galvo.testing.stage import NUMBERS, Running, Stage, shown

LET = "Let CancelledError through: catch Exception and not BaseException, and release in `finally`"

DETACHED = (
    "Await `proceed` in the caller's own task; where others wait for the same answer, too, set `shares_work = True` in "
    "the contract"
)


class Cancelling(Contract):
    @for_hook("on_query")
    async def test_cancelled_query(self, stage: Stage) -> None:
        """A query may be cancelled at every await: that comes out, is no fault, nothing goes on, the next is right."""
        async with stage.running() as run:
            await run.ask("before any cancellation")
            await _cancelled(run, "a query", lambda: run.kernel.run(Query(stage.statement, (next(NUMBERS),))))

    @for_hook("on_cache_miss")
    async def test_cancelled_cache_miss(self, stage: Stage) -> None:
        """So may the question whether it knows an answer."""
        async with stage.running() as run:
            miss = run.kernel.chains.on_cache_miss
            await _cancelled(run, "on_cache_miss", lambda: miss(Query(stage.statement, (next(NUMBERS),)), "cold"))

    @for_hook("on_memory_pressure")
    async def test_cancelled_memory_pressure(self, stage: Stage) -> None:
        """So may a wait for what it frees."""
        async with stage.running() as run:
            pressure = MemoryPressure(Level.CRITICAL)
            await _cancelled(run, "on_memory_pressure", lambda: run.kernel.relieve(pressure))
            await run.kernel.relieve(MemoryPressure(Level.NORMAL))


async def _cancelled(run: Running, what: str, call: Callable[[], Awaitable[Any]]) -> None:
    """Run it once to count its suspensions, then cancel it at each of them."""
    count = 0

    def counts() -> None:
        nonlocal count
        count += 1

    await Driven(awaited(call()), counts)
    for turn in run.stage.some(count, 12):
        await _at(run, what, call, turn)


async def _at(run: Running, what: str, call: Callable[[], Awaitable[Any]], turn: int) -> None:
    stage, loop, passed = run.stage, asyncio.get_running_loop(), 0

    def cancel() -> None:
        nonlocal passed
        passed += 1
        if passed == turn:
            loop.call_soon(task.cancel)

    left = 0

    async def drive() -> Any:
        nonlocal left
        try:
            return await driven
        finally:
            left = run.witness.open

    when = f"{what} that is cancelled at await {turn}"
    faults = run.faults()
    driven = Driven(awaited(call()), cancel)
    task = loop.create_task(drive())
    await asyncio.wait([task])
    if not task.cancelled():
        error = task.exception()
        stage.ensure(error is None, f"{when} ends with {shown(error) if error else ''}", LET)
        stage.ensure(passed < turn or not driven.cancelled, f"{when} goes on as if it were not", LET)
    stage.ensure(run.faults() == faults, f"{when} is counted as a fault: {run.faults()[1]}", LET)
    stage.ensure(run.kernel.chains.calls == 0, f"{when} still runs", LET)
    stage.ensure(stage.shares_work or not left, f"{when} is still run by the database, for nobody", DETACHED)
    await run.ask(f"after {when}")
