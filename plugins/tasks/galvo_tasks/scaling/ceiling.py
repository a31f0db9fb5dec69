"""How many tasks may run at once now: the plan, and below it what memory pressure leaves.

Falls at once and by half, rises by one: additive increase, multiplicative decrease (Chiu and Jain 1989).
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from galvo import Level
from galvo_tasks.scaling.plan import Plan

COOL = 30.0
"""Seconds without pressure until it rises again."""
STEP = 5.0
"""Seconds between two steps up."""


class Ceiling:
    """Set in the governor's thread, read in the main one."""

    def __init__(self, plan: Plan, *, cool: float = COOL, step: float = STEP, clock: Callable[[], float] = monotonic):
        self.plan = plan
        self._cool = cool
        self._step = step
        self._clock = clock
        self._cap: int | None = None
        """What pressure has left; None: no pressure."""
        self._level = Level.NORMAL
        self._worst = Level.NORMAL
        self._rise = 0.0
        """When the next step up is due."""

    @property
    def now(self) -> int:
        return self.plan.number if self._cap is None else min(self._cap, self.plan.number)

    @property
    def why(self) -> str:
        if self._cap is None or self._cap >= self.plan.number:
            return self.plan.why
        name = self._worst.name.lower()
        if self._level >= Level.HIGH:
            return f"memory is {name}: {self._cap} of {self.plan.number}"
        return f"memory was {name}: {self._cap} of {self.plan.number}, one more every {self._step:g} s"

    def pressed(self, level: Level, running: int) -> None:
        """Memory is short, said once per level and then every so often; `running` child processes there are now."""
        if level < Level.HIGH:
            return
        half = max(1, min(self.now, max(1, running)) // 2)
        self._cap = 1 if level is Level.CRITICAL else half
        self._worst = max(level, self._worst if self._level >= Level.HIGH else level)
        self.seen(level)

    def seen(self, level: Level) -> None:
        """The level of memory now; called every second or so."""
        now, self._level = self._clock(), level
        if self._cap is None:
            return
        if level >= Level.HIGH:
            self._rise = now + self._cool
        elif now >= self._rise:
            self._cap, self._rise = self._cap + 1, now + self._step
            if self._cap >= self.plan.number:
                self._cap, self._worst = None, Level.NORMAL
