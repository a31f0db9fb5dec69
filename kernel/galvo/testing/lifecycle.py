"""Checks of starting and stopping, while queries run."""

from __future__ import annotations

import random

import anyio

from galvo.testing.base import Contract
from galvo.testing.clients import Clients
from galvo.testing.stage import Stage
from galvo.unit import State


class Lifecycle(Contract):
    async def test_starts_and_stops(self, stage: Stage) -> None:
        """It starts, stops and starts again, answers stay right, and no lifespan stays open."""
        async with stage.running() as run:
            await run.ask("after its start")
            await run.kernel.disable(run.name)
            await run.ask("after its stop")
            await run.kernel.enable(run.name)
            await run.ask("after its second start")
        entered, left = run.probe.entered, run.probe.left
        stage.ensure(
            entered == left == 2, f"{entered} starts and {left} stops", "Let each lifespan() begin and end once"
        )

    async def test_double_switches(self, stage: Stage) -> None:
        """Enabling what runs and disabling what is stopped changes nothing, also when several do so at once."""
        async with stage.running() as run:
            for switch, state, instances in (
                (run.kernel.enable, State.ACTIVE, 1),
                (run.kernel.disable, State.STOPPED, 1),
                (run.kernel.enable, State.ACTIVE, 2),
            ):
                async with anyio.create_task_group() as tasks:
                    for _ in range(3):
                        tasks.start_soon(switch, run.name)
                stage.ensure(
                    run.unit.state is state and run.probe.entered == instances,
                    f"switched three times at once, it is {run.unit.state} after {run.probe.entered} starts",
                    "Do not switch the plugin from within itself",
                )
                await run.ask("after a double switch")

    async def test_toggles_under_load(self, stage: Stage) -> None:
        """Whatever sequence of switches it goes through, the queries that run meanwhile get their own answers."""
        dice = random.Random(11)  # noqa: S311  # the same sequence in every run
        async with stage.running(drain_timeout=60) as run:
            async with Clients(run, "while it is switched") as clients:
                for _ in range(60 if stage.thorough else 8):
                    await dice.choice((run.kernel.enable, run.kernel.disable))(run.name)
                    await clients.answered(dice.randrange(3))
            await run.kernel.enable(run.name)
            await run.ask("after all switches")
