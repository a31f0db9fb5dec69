"""When the next connection may be opened: never a storm, neither at the start nor after an outage.

As many at once as TCP's slow start allows: few at first, twice as many with every round of successes. After a failure
one alone, after a pause with decorrelated jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
2015): `min(cap, uniform(base, 3 * previous))`, so that processes which failed together do not come back together.
"""

from __future__ import annotations

import random
from math import inf

FIRST = 2
"""Opened at once at the start."""
BASE = 0.05
"""Seconds of the shortest pause."""
CAP = 0.5
"""Seconds of the longest pause while the server may come back at any moment: one try costs it nothing."""


class Ramp:
    """Counts the connections that are being opened. `most` at once; times are seconds of any clock that only grows."""

    __slots__ = ("_at_once", "_most", "_next", "_pause", "_source", "failures", "opening")

    def __init__(self, most: int = 16, source: random.Random | None = None) -> None:
        if most < 1:
            raise ValueError(f"at most {most} connections at once would open none: 1 or more is needed")
        self._most = most
        self._source = source or random.Random()  # noqa: S311  # jitter, not a secret
        self._at_once = float(min(FIRST, most))
        self._pause = 0.0
        self._next = -inf
        self.opening = 0
        """Connections that are being opened."""
        self.failures = 0
        """In a row."""

    @property
    def failing(self) -> bool:
        """The last try failed."""
        return self.failures > 0

    def allowed(self, now: float) -> int:
        """How many may begin now."""
        return 0 if now < self._next else max(0, int(self._at_once) - self.opening)

    def delay(self, now: float) -> float:
        """Seconds until the pause is over; 0: now. With all places taken, `allowed` is 0 until one ends."""
        return max(0.0, self._next - now)

    def begin(self) -> None:
        """One begins to open."""
        self.opening += 1

    def opened(self) -> None:
        """One is open."""
        self.opening -= 1
        self.failures = 0
        self._pause = 0.0
        self._next = -inf
        self._at_once = min(self._most, self._at_once + 1)

    def failed(self, now: float) -> None:
        """One could not be opened."""
        self.opening -= 1
        self.failures += 1
        if now < self._next:
            return  # several that began together failed together: one failure
        self._at_once = 1.0
        self._pause = min(CAP, self._source.uniform(BASE, max(BASE, 3 * self._pause)))
        self._next = now + self._pause

    def abandoned(self) -> None:
        """Whoever opened one was cancelled: that says nothing about the server."""
        self.opening -= 1

    def lost(self, now: float) -> None:
        """The server has closed connections: begin anew, not in step with the other processes that saw it too."""
        self._at_once = 1.0
        self._next = max(self._next, now + self._source.uniform(0, BASE))
