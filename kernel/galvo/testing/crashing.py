"""Checks of what happens when a part of a plugin ends before its time."""

from __future__ import annotations

import asyncio

import anyio

from galvo.errors import PluginError
from galvo.testing.base import Contract
from galvo.testing.stage import Running, Stage
from galvo.unit import State

SUPERVISE = "Run background tasks in a task group inside lifespan(), which fails the plugin when one of them fails"
STATES = (State.ACTIVE, State.FAILED, State.DEGRADED)


class Crashing(Contract):
    async def test_ended_tasks(self, stage: Stage) -> None:
        """Any of its background tasks may end: queries keep their answers, and it can be stopped and started."""
        async with stage.running() as run:
            for turn in await background(run):
                await _without(run, turn, crash=False)

    async def test_crashed_tasks(self, stage: Stage) -> None:
        """Any of its background tasks may raise: it survives that or is "failed", queries keep their answers, and
        enabling it brings it back.
        """
        async with stage.running() as run:
            for turn in await background(run):
                await _without(run, turn, crash=True)


async def background(run: Running) -> list[int]:
    """Which of its background tasks are tried."""
    await run.ask("after its start")
    return run.stage.some(len(run.probe.owned.running()), 4)


async def _without(run: Running, turn: int, *, crash: bool) -> None:
    tasks = run.probe.owned.running()
    if len(tasks) < turn:
        return
    task, stage = tasks[turn - 1], run.stage
    when = f"after its task {task.get_name()!r} has {'crashed' if crash else 'ended'}"
    if crash:
        run.probe.owned.crash(task)
    else:
        task.cancel()
    for _ in range(3):
        await run.ask(when, may_fail=stage.is_database)
    with anyio.move_on_after(0.5):  # one that survives what is raised in it does not end
        await asyncio.wait([task])
    await run.ask(when, may_fail=stage.is_database)
    stage.ensure(run.unit.state in STATES, f"{when}, it is {run.unit.state}", SUPERVISE)
    if run.unit.state is State.ACTIVE:
        await run.kernel.disable(run.name)
    await run.own_tasks_end(f"{when} and it has stopped", SUPERVISE)
    await run.ask(f"{when} and it has stopped")
    try:
        await run.kernel.enable(run.name)
    except PluginError as error:
        stage.fail(f"{when}, enabling it fails: {error.why}", SUPERVISE)
    await run.ask(f"{when} and it has started again")
