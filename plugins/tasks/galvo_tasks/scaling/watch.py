"""Looks at memory and at the children, and moves the ceiling."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import anyio

from galvo import Level
from galvo.sizes import show
from galvo_local import Surviving
from galvo_tasks.scaling.crew import Crew
from galvo_tasks.scaling.plan import PYTHON, planned
from galvo_tasks.scaling.tree import Tree, Use, machine

LOOK = 1.0
"""Seconds between two looks."""
SHARES = ((Level.CRITICAL, 0.95), (Level.HIGH, 0.85))
"""Of a limit of which the memory plugin sees this process's part alone."""
OWN = "[memory] limit"
"""Its name there."""
FADES = 0.999
"""Of what the largest child has had, what counts a second later: half of it after 12 minutes."""
AGAIN = 15.0
"""Seconds until pressure that lasts halves once more."""
BEYOND = 1.1
"""Times what is planned for a child, from which it is told."""


class Watch:
    def __init__(self, crew: Crew, memory: Any, log: logging.Logger) -> None:
        """`memory`: the capability, or None."""
        self._crew = crew
        self._memory = memory
        self._tree = Tree()
        self._log = log
        self._large = 0
        """Bytes that the largest child has had of late."""
        self._told = 0
        self._own = Level.NORMAL
        """Of the whole worker, by its configured limit."""
        self._due = 0.0

    async def run(self, surviving: Surviving) -> None:
        while True:
            with surviving.part("looking at memory"):
                self.look()
            await anyio.sleep(LOOK)

    def look(self) -> None:
        crew, ceiling = self._crew, self._crew.ceiling
        uses = self._tree.look(crew.pids)
        state = self._memory.state() if self._memory else None
        each, before = self._each(uses), ceiling.now
        plans, own = [crew.wanted], Level.NORMAL
        children = sum(one.own for one in uses.values())
        for name, limit, used in limits(state, children):
            if name == OWN:
                own = next((level for level, share in SHARES if used >= share * limit), Level.NORMAL)
            others = max(0, used - children)
            plans.append(planned(cpus=crew.cpus, most=crew.most, limit=limit, others=others, each=each))
        ceiling.plan = min(plans, key=lambda plan: plan.number)
        self._press(own)
        ceiling.seen(max(own, Level[state.level.upper()] if state else own))
        if ceiling.now != before:
            self._log.info("%d at once, were %d: %s", ceiling.now, before, ceiling.why)

    def _each(self, uses: Mapping[int, Use]) -> int:
        """Bytes that a child takes at most: as planned, or as seen."""
        children = [uses[pid] for pid in self._crew.pids if pid in uses]
        least = min((one.own for one in children), default=PYTHON)
        plan = min(least, 2 * PYTHON) + self._crew.memory
        peak = max((one.peak for one in children), default=0)
        if peak > BEYOND * max(self._told, plan):
            self._told = peak
            self._log.warning(
                "a process has taken %s, and %s are planned for Python and a task: raise memory under "
                "[tasks.classes.%s]",
                show(peak), show(plan), self._crew.runtimes[0],
            )  # fmt: skip
        self._large = max(int(self._large * FADES), peak)
        return max(plan, self._large)

    def _press(self, level: Level) -> None:
        """As the memory plugin does: at once when it gets worse, again while it lasts."""
        now = anyio.current_time()
        if level > self._own or (level >= Level.HIGH and now >= self._due):
            self._crew.ceiling.pressed(level, self._crew.size)
            self._due = now + AGAIN
        self._own = level


def limits(state: Any, children: int) -> Iterator[tuple[str, int, int]]:
    """Name, limit and use of all that bound the whole worker. `state`: the memory plugin's, or None."""
    if state is None:
        if (found := machine()) is not None:
            yield "machine", *found
        return
    for bound in state.bounds:
        if bound.name == OWN:
            yield OWN, bound.limit, state.rss + children
        elif not bound.name.startswith("RLIMIT"):  # those are each process's own
            yield bound.name, bound.limit, bound.used
