"""Moments summed up: of each stretch of the clock the mean and the highest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from galvo_monitor.series import Series, Values
from galvo_monitor.store.ring import Point, Ring

LARGEST = 3.4e38
"""What four bytes can hold."""


class Running(msgspec.Struct):
    """Of one series, in the stretch that is not over."""

    total: float = 0.0
    count: int = 0
    high: float = -math.inf

    def add(self, value: float) -> None:
        self.total += value
        self.count += 1
        self.high = max(self.high, value)

    @property
    def point(self) -> Point:
        mean, high = self.total / self.count, self.high
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
        if at // self.step != self._at // self.step:
            self._finish()
        if at < self._at:
            self.ring.forget(at)
        self._at = at
        for series, value in values.items():
            self._running.setdefault(series, Running()).add(value)

    def drop(self, series: Series) -> None:
        self.ring.drop(series)
        self._running.pop(series, None)

    def between(self, series: Series, start: float, end: float) -> Iterable[tuple[float, Point]]:
        """As in `Ring`, and the stretch that is not over."""
        yield from self.ring.between(series, start, end)
        running = self._running.get(series)
        if running is not None and start < self._at <= end:
            yield self._at, running.point

    def restore(self, moments: Mapping[float, Mapping[Series, Point]]) -> None:
        """Put what an earlier process has kept before what there is already."""
        now = [*self.ring.moments()]
        first = now[0][0] if now else self._at
        self.ring = Ring(self.step, self.ring.slots, 2, "f")
        before = sorted((at, points) for at, points in moments.items() if not math.isfinite(first) or at < first)
        for at, points in [*before, *now]:
            self.ring.append(at, points)

    def _finish(self) -> None:
        if self._running:
            self.ring.append(self._at, {series: running.point for series, running in self._running.items()})
            self._running = {}
