"""A number that is compared with what is usual of it: how far off it is, and since when."""

from __future__ import annotations

from galvo_monitor.insights.baseline import Baseline


class Unusual:
    def __init__(self, *, interval: float, least: float, factor: float = 2.0) -> None:
        """As of a `Baseline`."""
        self._baseline = Baseline(interval=interval, least=least, factor=factor)
        self._interval = interval
        self._least = least
        self._value = 0.0
        self._began = 0.0

    def look(self, value: float | None, now: float) -> bool:
        """Whether `value`, of the interval that ended at `now`, is unusually high, and not for the first time."""
        outside = self._baseline.outside
        self._baseline.add(value)
        if self._baseline.outside and (not outside or self._baseline.outside < outside):
            self._began = now - self._interval
        self._began = min(self._began, now)
        self._value = value or 0.0
        return self._baseline.unusual

    @property
    def since(self) -> float:
        """When the first interval began that was unusual; seconds since the epoch."""
        return self._began

    @property
    def outside(self) -> int:
        """As of a `Baseline`."""
        return self._baseline.outside

    @property
    def usual(self) -> float:
        return self._baseline.usual

    @property
    def ratio(self) -> float:
        """At least so many times what is usual: little is taken for `least`, as ratios of next to nothing mislead."""
        return self._value / max(self.usual, self._least)

    @property
    def confidence(self) -> float:
        """Grows with the distance and its duration; a baseline is never certain."""
        return min(0.95, 0.6 + 0.05 * min(self._baseline.outside, 4) + (0.15 if self.ratio >= 4 else 0.0))
