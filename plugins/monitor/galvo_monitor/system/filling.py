"""When a disk will be full, if it goes on like that.

Theil-Sen's slope over ever longer spans, none of which is believed for more than ten times as long as it was watched:
so in two minutes only a disk that fills within twenty is seen, and one that fills in three days takes eight hours.
"""

from __future__ import annotations

from collections import deque
from statistics import fmean

import msgspec

from galvo_statistics import kendall, theil_sen

KEPT = 30
"""Readings of each scale."""
FOLD = 10
"""Readings of one scale that make one of the next: their means."""
SCALES = 3
WINDOWS = (3, 10, 30)
"""Readings that are looked at together."""
FURTHER = 10
"""Times as long as it was watched, a forecast may reach."""
FURTHEST = 3 * 86400.0
FALLS = -0.8
"""Kendall's tau: nine pairs in ten fall."""
STILL = 0.5
"""Of the slope, that the last third must have: else it has stopped."""


class Filling(msgspec.Struct, frozen=True):
    seconds: float
    """Until it is full."""
    rate: float
    """Bytes a second."""
    span: float
    """Seconds that it has been watched filling at this rate."""


class Readings:
    """Of one disk: 90 of them at most, of a day or more at one every 30 s."""

    def __init__(self) -> None:
        self._scales = [deque[tuple[float, float]](maxlen=KEPT) for _ in range(SCALES)]
        self._folding: list[list[tuple[float, float]]] = [[] for _ in range(SCALES - 1)]

    def add(self, at: float, free: float) -> None:
        """`at`: monotonic seconds. `free`: bytes. Time has to go on."""
        scale, reading = 0, (at, free)
        if self._scales[0] and at <= self._scales[0][-1][0]:
            return
        while True:
            self._scales[scale].append(reading)
            if scale == SCALES - 1:
                return
            folding = self._folding[scale]
            folding.append(reading)
            if len(folding) < FOLD:
                return
            reading = fmean(one[0] for one in folding), fmean(one[1] for one in folding)
            folding.clear()
            scale += 1

    def filling(self) -> Filling | None:
        """The soonest end that the readings support; None: they support none."""
        if not self._scales[0]:
            return None
        free = self._scales[0][-1][1]
        if free <= 0:
            return Filling(0.0, 0.0, 0.0)
        finer = [self._scales[0], *self._scales]
        found = [
            one
            for scale, fine in zip(self._scales, finer, strict=False)
            for window in WINDOWS
            if len(scale) >= window and (one := _filling([*scale][-window:], free, [*fine][-FOLD:])) is not None
        ]
        return min(found, key=lambda one: one.seconds, default=None)


def _filling(readings: list[tuple[float, float]], free: float, newest: list[tuple[float, float]]) -> Filling | None:
    """`newest`: what the last of the readings was made of, or as many of the finest."""
    times, values = _columns(readings)
    if values[-1] >= values[0] or kendall(values) > FALLS:
        return None
    slope = theil_sen(times, values)
    newest = newest[-max(2, min(len(newest), len(values) // 3 if newest[-1] == readings[-1] else FOLD)) :]
    if slope >= 0 or theil_sen(*_columns(newest)) > STILL * slope:
        return None
    seconds, span = free / -slope, times[-1] - times[0]
    return Filling(seconds, -slope, span) if seconds <= min(FURTHER * span, FURTHEST) else None


def _columns(readings: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [at for at, _ in readings], [value for _, value in readings]
