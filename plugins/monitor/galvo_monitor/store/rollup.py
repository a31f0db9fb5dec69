"""Moments summed up: of each stretch of the clock the mean and the highest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from galvo_monitor.series import Series, Values
from galvo_monitor.store.ring import Point, Ring

Moments = Mapping[float, Mapping[Series, Point]]
"""By the time at which a stretch ended (seconds since the epoch): mean and highest of each series."""
LARGEST = 3.4e38
"""What four bytes can hold."""


class Running(msgspec.Struct):
    """Of one series, in the stretch that is not over."""

    total: float = 0.0
    weight: float = 0.0
    """Of how many moments."""
    high: float = -math.inf

    def add(self, mean: float, high: float, weight: float = 1.0) -> None:
        self.total += mean * weight
        self.weight += weight
        self.high = max(self.high, high)

    @property
    def point(self) -> Point:
        mean, high = self.total / self.weight, self.high
        return max(-LARGEST, min(mean, LARGEST)), max(-LARGEST, min(high, LARGEST))


class RollUp:
    """A ring of stretches of `step` seconds; each is dated by the last value in it."""

    def __init__(self, step: float, span: float) -> None:
        self.step = step
        self.ring = Ring(step, int(span / step), 2, "f")
        self._at = -math.inf
        self._running: dict[Series, Running] = {}

    @property
    def earliest(self) -> float | None:
        return self.ring.earliest if len(self.ring) else (self._at if self._running else None)

    def add(self, at: float, values: Values) -> None:
        """`at`: seconds since the epoch. `values` are finite."""
        self._move(at)
        for series, value in values.items():
            self._running.setdefault(series, Running()).add(value, value)

    def drop(self, series: Series) -> None:
        self.ring.drop(series)
        self._running.pop(series, None)

    def between(self, series: Series, start: float, end: float) -> Iterable[tuple[float, Point]]:
        """As in `Ring`, and the stretch that is not over."""
        yield from self.ring.between(series, start, end)
        running = self._running.get(series)
        if running is not None and start < self._at <= end:
            yield self._at, running.point

    def restore(self, kept: Moments, finer: Moments, step: float, weight: float) -> None:
        """Put what an earlier process has kept before what there is already.

        `finer`: shorter stretches that it has kept, of `step` seconds and `weight` values. Those later than `kept` are
        summed up: the process ended before their long one did.
        """
        now, at, running = [*self.ring.moments()], self._at, self._running
        self.ring, self._at, self._running = Ring(self.step, self.ring.slots, 2, "f"), -math.inf, {}
        for moment in sorted(kept.items()):
            self.ring.append(*moment)
        last = self.ring.last or -math.inf
        for begin, points in sorted((end - step, points) for end, points in finer.items()):
            if begin >= last:
                self._move(begin)
                for series, (mean, high) in points.items():
                    self._running.setdefault(series, Running()).add(mean, high, weight)
        if now:
            self._finish()
            for moment in now:
                self.ring.append(*moment)
        if math.isfinite(at):
            self._move(at)
            for series, part in running.items():
                self._running.setdefault(series, Running()).add(part.total / part.weight, part.high, part.weight)

    def _move(self, at: float) -> None:
        if at // self.step != self._at // self.step:
            self._finish()
        if at < self._at:
            self.ring.forget(at)
        self._at = at

    def _finish(self) -> None:
        if self._running:
            self.ring.append(self._at, {series: running.point for series, running in self._running.items()})
            self._running = {}
