"""A circuit breaker: what fails most of the time is not asked for a while.

It counts what others swallow. Closed: everybody may ask. Open: nobody. Half open: one may, and its fate decides.
Source: M. Nygard, Release It! (2007), with a window of failures instead of a row of them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from time import monotonic
from typing import Literal

State = Literal["closed", "open", "half_open"]
BUCKETS = 10


class Breaker:
    """`allow` before a call, `record` after it. Nothing here waits or raises."""

    def __init__(
        self,
        *,
        least: int = 5,
        share: float = 0.5,
        window: float = 10.0,
        cooldown: float = 1.0,
        longest: float = 30.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Opens when at least `share` of at least `least` calls of the last `window` seconds failed.

        `cooldown` is the first pause in seconds; every failed probe doubles it, up to `longest`.
        """
        self._least, self._share, self._window = least, share, window
        self._cooldown, self._longest, self._clock = cooldown, longest, clock
        self._pause = cooldown
        self._calls: deque[list[float]] = deque()  # [begin of the bucket, good, bad]
        self._until = 0.0
        self.state: State = "closed"
        self.counts: Counter[str] = Counter()
        """successes, failures, opened, probes."""

    def allow(self) -> bool:
        """May a call be made now? A True in the state half_open is the one probe."""
        if self.state == "closed":
            return True
        now = self._clock()
        if now < self._until:
            return False
        # A probe nobody reported on is given up after a pause, else the breaker would stay open for ever.
        self.state = "half_open"
        self._until = now + self._pause
        self.counts["probes"] += 1
        return True

    def record(self, ok: bool) -> None:
        """The outcome of one call."""
        self.counts["successes" if ok else "failures"] += 1
        if self.state == "closed":
            self._add(ok)
        elif self.state == "half_open":
            if ok:
                self._calls.clear()
                self._pause = self._cooldown
                self.state = "closed"
            else:
                self._pause = min(self._pause * 2, self._longest)
                self._open()

    def _add(self, ok: bool) -> None:
        now = self._clock()
        calls = self._calls
        if not calls or now - calls[-1][0] >= self._window / BUCKETS:
            calls.append([now, 0, 0])
            while now - calls[0][0] > self._window:
                calls.popleft()
        calls[-1][1 if ok else 2] += 1
        if not ok:
            bad = sum(bucket[2] for bucket in calls)
            total = bad + sum(bucket[1] for bucket in calls)
            if total >= self._least and bad >= self._share * total:
                self._calls.clear()
                self._open()

    def _open(self) -> None:
        self.state = "open"
        self._until = self._clock() + self._pause
        self.counts["opened"] += 1
