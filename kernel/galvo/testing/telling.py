"""Checks of what a plugin says of itself and of statements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from galvo.events import Query
from galvo.explain import lines
from galvo.testing.base import Contract
from galvo.testing.payloads import ARGUMENTS, STATEMENTS
from galvo.testing.stage import Running, Stage, shown

VERDICTS = ("ok", "advice", "problem")


class Telling(Contract):
    async def test_explain(self, stage: Stage) -> None:
        """`explain` gives a table that can be shown, or None, of whatever statement, and never raises."""
        async with stage.running() as run:
            queries = [Query(sql) for sql in (stage.statement, stage.failing, *STATEMENTS)]
            for query in [*queries, *(Query(stage.statement, args) for args in ARGUMENTS)]:
                try:
                    told = await run.plugin.explain(query)
                    if told is not None:
                        list(lines({run.name: {str(key): value for key, value in told.items()}}))
                except Exception as error:  # noqa: BLE001  # whatever it raises or gives is named
                    stage.fail(
                        f"explain of {query.sql[:30]!r} ends in {shown(error)}",
                        "Give a dict that can be shown, or None",
                    )
                stage.ensure(
                    told is None or {*map(type, told)} <= {str},
                    f"explain of {query.sql[:30]!r} gives {told!r:.80}",
                    "Give a dict with texts as keys, or None",
                )
            await run.ask("after explaining")

    async def test_stats(self, stage: Stage) -> None:
        """`stats` gives finite numbers by name, at any time."""
        async with stage.running() as run:
            _finite(run, "right after its start")
            for _ in range(3):
                await run.ask("for its stats")
            _finite(run, "after some queries")
            await run.kernel.disable(run.name)
            await run.kernel.enable(run.name)
            _finite(run, "after it has started again")

    async def test_checkup(self, stage: Stage) -> None:
        """`checkup` gives findings: a subject, what was found, a verdict, and advice unless all is well."""
        async with stage.running() as run:
            checkup = getattr(run.plugin, "checkup", None)
            for finding in await checkup() if checkup is not None else ():
                stage.ensure(
                    bool(finding.subject) and finding.verdict in VERDICTS,
                    f"checkup gives {finding!r:.100}",
                    f"Give it a subject and a verdict, one of {', '.join(VERDICTS)}",
                )
                stage.ensure(
                    finding.verdict == "ok" or bool(finding.advice),
                    f"checkup finds fault with {finding.subject} and says nothing to do about it",
                    "Give one line of advice",
                )


def _finite(run: Running, when: str) -> None:
    try:
        stats: Mapping[Any, Any] = run.plugin.stats()
    except Exception as error:  # noqa: BLE001  # whatever it raises is named
        run.stage.fail(f"{when}, stats() raises {shown(error)}", "Count from 0 when the instance is made")
    for name, value in stats.items():
        number = isinstance(value, int | float) and math.isfinite(value)
        found = f"{when}, stats() gives {name!r}: {value!r}"
        run.stage.ensure(number and isinstance(name, str), found, "Give finite numbers by name")
