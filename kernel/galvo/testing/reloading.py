"""Checks of a plugin that is replaced by one with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from galvo.errors import GalvoError
from galvo.testing.base import Contract
from galvo.testing.clients import Clients
from galvo.testing.driving import Injected
from galvo.testing.stage import Running, Stage

INVALID = ({"no_such_key": 1}, {"mode": "sideways"})


class Reloading(Contract):
    async def test_reload(self, stage: Stage) -> None:
        """A reload with changed settings, and one back: the new instance runs, the old one is closed, and the queries
        that run meanwhile get their answers.
        """
        async with stage.running(drain_timeout=60) as run, Clients(run, "during a reload"):
            for turn, table in enumerate((stage.changed, {}), 2):
                old = run.plugin
                names = await run.reload(**table)
                stage.ensure(
                    names == [run.name],
                    f"with {dict(table)} a reload changes {names or 'nothing'}",
                    "Say in `changed` what differs from `settings`",
                )
                stage.ensure(
                    run.plugin is not old and (run.probe.entered, run.probe.left) == (turn, turn - 1),
                    f"after {run.probe.entered} starts, {run.probe.left} instances have stopped",
                    "Let each lifespan() end when the kernel ends it",
                )
                await run.ask("after a reload")

    async def test_refused_reload(self, stage: Stage) -> None:
        """A reload with settings that cannot be used, or whose start fails, is refused: the old instance runs on."""
        async with stage.running(drain_timeout=60) as run, Clients(run, "during a reload"):
            old = run.plugin
            tables: list[Mapping[str, Any]] = [*INVALID, *stage.hostile_settings]
            for table in tables:
                try:
                    await run.reload(**table)
                except GalvoError:
                    await _untouched(run, old, f"after a reload with {sorted(table)}")
                else:
                    stage.fail(
                        f"a reload with {sorted(table)} is not refused",
                        "Refuse it in the settings' validators, or by a PluginError in lifespan()",
                    )
            if not stage.injected:
                return
            run.probe.arm("start", 1, Injected)
            try:
                await run.reload(**stage.changed)
            except GalvoError:
                await _untouched(run, old, "after a reload whose start failed")
            finally:
                run.probe.disarm()


async def _untouched(run: Running, old: object, when: str) -> None:
    run.stage.ensure(run.plugin is old, f"{when}, another instance runs", "Raise before the `yield` of lifespan()")
    await run.ask(when)
