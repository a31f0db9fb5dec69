"""How short memory is: it rises at once, and falls only when it has been better for a while."""

from __future__ import annotations

from math import inf

from galvo import Level
from galvo_memory.signals.sample import Sample

RISING = (Level.ELEVATED, Level.HIGH, Level.CRITICAL)
CALMER = 0.5
"""Of a threshold of waiting, below which it does not hold any more."""


class Levels:
    """`used`: shares of the limit, and `waiting`: percent of PSI, from which it is elevated, high, critical.

    A level is held while use is not `gap` (share of the limit) below its threshold, and for `dwell` seconds after.
    """

    def __init__(
        self,
        used: tuple[float, float, float] = (0.75, 0.85, 0.95),
        waiting: tuple[float, float, float] = (5, 10, 25),
        *,
        gap: float = 0.05,
        dwell: float = 30,
    ) -> None:
        self._used = used
        self._waiting = waiting
        self._gap = gap
        self._dwell = dwell
        self.level = Level.NORMAL
        self._since: float | None = None
        """When it began to be better than the level says."""
        self._worst = Level.NORMAL
        """Since then."""

    def step(self, sample: Sample) -> Level | None:
        """The new level, if it is another one."""
        reached = self._reached(sample)
        if reached > self.level:
            return self._become(reached)
        held = self._held(sample)
        if held >= self.level:
            self._since = None
            return None
        if self._since is None:
            self._since, self._worst = sample.at, held
        self._worst = max(self._worst, held)
        if sample.at - self._since < self._dwell:
            return None
        return self._become(self._worst)

    def holds(self, sample: Sample) -> bool:
        """Whether memory is still as short as the level says, or it only waits for its end."""
        return self._held(sample) >= self.level

    def over(self, sample: Sample) -> int:
        """Bytes by which use is above the level's threshold; 0 when it is people's waiting that made it."""
        if self.level is Level.NORMAL:
            return 0
        bound = sample.tight
        return max(0, int(bound.used - self._used[self.level - 1] * bound.limit))

    def _held(self, sample: Sample) -> Level:
        return self._reached(sample, self._gap, CALMER)

    def left(self, sample: Sample) -> float:
        """Bytes of use until the next level, or the limit itself when there is none; infinity if no limit is known."""
        bound = sample.tight
        if not bound.limit:
            return inf
        reached = 1.0 if self.level is Level.CRITICAL else self._used[self.level]
        return max(0.0, reached * bound.limit - bound.used)

    def _become(self, level: Level) -> Level:
        self.level, self._since = level, None
        return level

    def _reached(self, sample: Sample, gap: float = 0.0, calmer: float = 1.0) -> Level:
        share, waiting = sample.tight.share, sample.psi_some10
        found = Level.NORMAL
        for level, used, some in zip(RISING, self._used, self._waiting, strict=True):
            if share >= used - gap or waiting >= some * calmer:
                found = level
        return found
