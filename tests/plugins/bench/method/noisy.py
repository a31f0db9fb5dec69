"""A machine whose speed drifts, jumps and stalls: the same way each time."""

from __future__ import annotations

import random
from math import sin

from galvo_bench.method.rounds import Operation

DRIFT, JUMPS, STALLS = 0.3, 0.35, 0.02


class Noisy:
    """Its clock is `now`; an operation takes a millisecond, about."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self._chance = random.Random(seed)
        self._speed, self._until = 1.0, 0.0

    def taking(self, seconds: float = 1e-3) -> Operation:
        async def operation() -> None:
            self.now += seconds * self._slowness()

        return operation

    def _slowness(self) -> float:
        chance = self._chance
        if self.now >= self._until:  # another process comes or goes
            self._speed, self._until = chance.lognormvariate(0, JUMPS), self.now + chance.expovariate(1 / 5e-3)
        stalled = 20 if chance.random() < STALLS else 0
        drift = 1 + DRIFT * sin(self.now / 0.7)
        return float(drift * self._speed * chance.lognormvariate(0, 0.2) + stalled)
