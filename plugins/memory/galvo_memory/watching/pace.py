"""How soon to look at RSS again: twice at least before it reaches the next level, at the rate at which it grows."""

from __future__ import annotations

REST, FASTEST = 1.0, 0.05
"""Seconds. Each look wakes a process that may be at rest, which is 0.3 ms."""
UNKNOWN = 0.1
"""Seconds, while no rate is known."""


class Pace:
    def __init__(self) -> None:
        self._before: tuple[float, int] | None = None

    def pause(self, at: float, rss: int, left: float) -> float:
        """Seconds until the next look. `at`: seconds; `rss`: bytes now; `left`: bytes until the next level."""
        before, self._before = self._before, (at, rss)
        if before is None or at <= before[0]:
            return UNKNOWN
        rate = max(0, rss - before[1]) / (at - before[0])
        return max(FASTEST, min(REST, left / 2 / rate)) if rate else REST
