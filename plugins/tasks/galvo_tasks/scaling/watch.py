"""Looks at memory and at the children, and moves the ceiling."""

from __future__ import annotations

import logging
from typing import Any

import anyio

from galvo import Level
from galvo.sizes import show
from galvo.surviving import Surviving
from galvo_tasks.scaling.crew import Crew
from galvo_tasks.scaling.plan import PYTHON, planned
from galvo_tasks.scaling.tree import family, use

LOOK = 1.0
"""Seconds between two looks."""
SHARES = ((Level.CRITICAL, 0.95), (Level.HIGH, 0.85))
"""Of a limit that the memory plugin sees only this process's part of."""
FADES = 0.999
"""Of what the largest child has had, what counts a second later: half of it after 12 minutes."""
AGAIN = 15.0
"""Seconds until pressure that lasts halves once more."""


class Watch:
    def __init__(self, crew: Crew, memory: Any, log: logging.Logger) -> None:
        """`memory`: the capability, or None."""
        self._crew = crew
        self._memory = memory
        self._log = log
        self._large = 0
        """Bytes that the largest child has had of late."""
        self._own = Level.NORMAL
        self._due = 0.0

    async def run(self, surviving: Surviving) -> None:
        while True:
            with surviving.part("looking at memory"):
                self.look()
            await anyio.sleep(LOOK)

    def look(self) -> None:
        crew, ceiling = self._crew, self._crew.ceiling
        uses = {pid: found for pid in family(crew.pids) if (found := use(pid))}
        children = sum(one.own for one in uses.values())
        uses = {pid: uses[pid] for pid in crew.pids if pid in uses}
        self._learn(max((one.peak for one in uses.values()), default=0))
        base = min((one.own for one in uses.values()), default=PYTHON)
        each = max(min(base, PYTHON * 2) + crew.memory, self._large)
        state = self._memory.state() if self._memory else None
        plans, own = [], Level.NORMAL
        main = state.rss if state else 0
        for bound in state.bounds if state else ():
            used = bound.used
            if bound.name == "[memory] limit":  # of all that this worker is; the plugin knows of this process alone
                used = main + children
                own = next((level for level, share in SHARES if used >= share * bound.limit), Level.NORMAL)
            elif bound.name.startswith("RLIMIT"):
                continue  # this process's own
            plans.append(self._planned(bound.limit, max(0, used - children), each))
        before = ceiling.now
        ceiling.plan = min(plans or [self._planned(None, 0, each)], key=lambda plan: plan.number)
        level = Level[state.level.upper()] if state else Level.NORMAL
        self._press(own)
        ceiling.seen(max(level, own))
        if ceiling.now != before:
            self._log.info("%d tasks at once, were %d: %s", ceiling.now, before, ceiling.why)

    def _planned(self, limit: int | None, others: int, each: int) -> Any:
        crew = self._crew
        return planned(cpus=crew.cpus, most=crew.most, limit=limit, others=others, each=each)

    def _press(self, level: Level) -> None:
        """As the memory plugin does: at once when it gets worse, again while it lasts."""
        now = anyio.current_time()
        if level > self._own or (level >= Level.HIGH and now >= self._due):
            self._crew.ceiling.pressed(level, self._crew.size)
            self._due = now + AGAIN
        self._own = level

    def _learn(self, peak: int) -> None:
        if peak > max(self._large, self._crew.memory + PYTHON) * 1.1:
            self._log.warning(
                "a process of %s took %s, more than the %s that are planned for a task and Python: raise memory under "
                "[tasks.classes.%s]",
                "+".join(self._crew.runtimes), show(peak), show(self._crew.memory + PYTHON), self._crew.runtimes[0],
            )  # fmt: skip
        self._large = max(int(self._large * FADES), peak)
