"""The bytes that answers may take: fewer while memory is short, and step by step as many as before when it is not."""

from __future__ import annotations

import anyio

from galvo import Level
from galvo_cache.sieve import Sieve

KEPT = {Level.ELEVATED: 0.75, Level.HIGH: 0.5, Level.CRITICAL: 0.0}
"""Of what is there."""
LEAST = 16
"""The budget itself never falls below this part of `max_bytes`: what is read all the time is kept."""
STEP, PAUSE = 1.25, 10.0
"""It grows back by this factor, and the seconds between two times: one that was too much is noticed first."""


class Budget:
    """Of one sieve, whose `max_bytes` it moves."""

    def __init__(self, sieve: Sieve) -> None:
        self._sieve = sieve
        self._most = sieve.max_bytes
        self._eased = anyio.Event()
        """Set while it grows."""

    def follow(self, level: Level) -> int:
        """Memory is as short as `level` says; gives the bytes freed."""
        if level is Level.NORMAL:
            if self._sieve.max_bytes < self._most:
                self._eased.set()
            return 0
        self._hold()
        sieve = self._sieve
        kept = int(KEPT[level] * min(sieve.bytes, sieve.max_bytes))
        sieve.max_bytes = max(kept, self._most // LEAST)
        return sieve.shrink(kept)

    async def run(self) -> None:
        """Grow back when that is allowed, until cancelled."""
        while True:
            await self._eased.wait()
            await anyio.sleep(PAUSE)
            if self._eased.is_set():
                self.grow()

    def grow(self) -> None:
        """One step."""
        sieve = self._sieve
        sieve.max_bytes = min(self._most, int(sieve.max_bytes * STEP) + 1)
        if sieve.max_bytes == self._most:
            self._hold()

    def _hold(self) -> None:
        if self._eased.is_set():  # else somebody waits for this one
            self._eased = anyio.Event()
