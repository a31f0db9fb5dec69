"""Checks of starts that do not come to their end."""

from __future__ import annotations

import asyncio

from galvo.errors import PluginError
from galvo.testing.base import Contract
from galvo.testing.driving import Act, Hang, Injected
from galvo.testing.stage import Running, Stage, shown
from galvo.unit import State

RELEASE = "Release in a `finally`, or by `async with`, whatever was acquired before"
QUICK = 0.05
"""Seconds that a start may take when it hangs on purpose."""


class Starting(Contract):
    async def test_failing_start(self, stage: Stage) -> None:
        """Whatever its start awaits may fail: then it is "failed", nothing of it is left, and queries are answered."""
        if not stage.injected:
            return  # `hostile_settings` say how it fails
        async with stage.running(on=False) as run:
            for turn in await starts(run):
                await _refused(run, turn, Injected, "fails")

    async def test_slow_start(self, stage: Stage) -> None:
        """A start that waits for longer than `start_timeout` is given up and named, and nothing of it is left."""
        async with stage.running(on=False) as run:
            turns = await starts(run)
            patient = run.kernel.settings
            for turn in turns[:: 1 if stage.thorough else 2]:
                run.kernel.settings = patient.model_copy(update={"start_timeout": QUICK})
                reason = await _refused(run, turn, Hang, "hangs")
                stage.ensure(
                    reason is None or "start_timeout" in reason,
                    f"a start that hangs at await {turn} ends with {reason!r}",
                    "Let the cancellation through: catch Exception and not BaseException",
                )
                run.kernel.settings = patient

    async def test_cancelled_start(self, stage: Stage) -> None:
        """Its start may be cancelled at every await: nothing of it is left, and it can start again."""
        async with stage.running(on=False) as run:
            for turn in await starts(run):
                began = asyncio.get_running_loop().create_task(run.kernel.enable(run.name))
                run.probe.arm("start", turn, _cancels(began))
                await asyncio.wait([began])
                run.probe.disarm()
                if not began.cancelled() and (error := began.exception()) is not None:
                    stage.fail(f"a start cancelled at await {turn} ends with {shown(error)}", RELEASE)
                await _afterwards(run, f"after a start that was cancelled at await {turn}")

    async def test_cancelled_stop(self, stage: Stage) -> None:
        """Its stop may be cancelled at every await, as happens after `stop_timeout`: nothing of it is left."""
        async with stage.running() as run:
            run.probe.arm("stop")
            await run.kernel.disable(run.name)
            for turn in stage.some(run.probe.disarm()):
                await run.kernel.enable(run.name)
                run.probe.arm("stop", turn, run.unit.cancel)
                await run.kernel.disable(run.name)
                run.probe.disarm()
                await _afterwards(run, f"after a stop that was cancelled at await {turn}")


def _cancels(task: asyncio.Task[None]) -> Act:
    def cancel() -> None:
        task.cancel()

    return cancel


async def starts(run: Running) -> list[int]:
    """The awaits of a start at which something is tried. It is stopped before and afterwards."""
    run.probe.arm("start")
    try:
        await run.kernel.enable(run.name)
    except PluginError as error:
        run.stage.fail(f"it does not start: {error.why}", "Give the contract settings with which it does")
    awaits = run.probe.disarm()
    await run.ask("after its start")
    await run.kernel.disable(run.name)
    return run.stage.some(awaits)


async def _refused(run: Running, turn: int, error: type[BaseException], does: str) -> str | None:
    """Enable it with an error in its start; gives why it did not start, None if it did all the same."""
    act: Act = error
    run.probe.arm("start", turn, act)
    try:
        await run.kernel.enable(run.name)
        reason = None
    except PluginError as refused:
        reason = refused.why
    except Exception as other:  # noqa: BLE001  # the kernel raises PluginError, whatever the plugin does
        run.stage.fail(f"a start that {does} at await {turn} raises {shown(other)}", RELEASE)
    run.probe.disarm()
    await _afterwards(run, f"after a start that {does} at await {turn}")
    return reason


async def _afterwards(run: Running, when: str) -> None:
    """Nothing is left of it, queries are answered, and it starts; then it is stopped again."""
    stage = run.stage
    if run.unit.state is not State.ACTIVE:
        await run.own_tasks_end(when, RELEASE)
        stage.ensure(run.probe.left <= run.probe.entered + 1, f"{when}, it has stopped twice", RELEASE)
    await run.ask(when)
    try:
        await run.kernel.enable(run.name)
    except PluginError as error:
        stage.fail(f"{when}, it does not start again: {error.why}", RELEASE)
    await run.ask(f"{when} and one that did not")
    await run.kernel.disable(run.name)
    await run.own_tasks_end(f"{when} and its stop", RELEASE)
