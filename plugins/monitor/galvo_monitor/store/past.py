"""What a chart draws of one series."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from galvo_monitor.store.ring import Point

GAP = 2.5
"""Steps without a moment: one that was late or left out is none yet."""


class Past(msgspec.Struct, frozen=True):
    """Points in order. Where `means` and `highs` are None there is a gap."""

    times: list[float]
    """Seconds since the epoch: the end of what the point sums up."""
    means: list[float | None]
    highs: list[float | None]
    step: float = 0.0
    """Seconds that a point sums up."""


def drawn(moments: Iterable[tuple[float, Point]], step: float, points: int) -> Past:
    """At most about `points` of them: neighbours are summed up, by the clock, so that a chart does not flicker."""
    kept = list(moments)
    if len(kept) > points:
        step *= math.ceil(len(kept) / points)
        kept = _summed(kept, step)
    past = Past([], [], [], step)
    for at, point in kept:
        if past.times and at - past.times[-1] > GAP * step:
            _add(past, past.times[-1] + step, (math.nan,))
        _add(past, at, point)
    return past


def _add(past: Past, at: float, point: Point) -> None:
    gap = math.isnan(point[0])
    past.times.append(at)
    past.means.append(None if gap else point[0])
    past.highs.append(None if gap else point[-1])


def _summed(moments: list[tuple[float, Point]], step: float) -> list[tuple[float, Point]]:
    stretches: list[tuple[float, list[Point]]] = []
    for at, point in moments:
        if stretches and stretches[-1][0] // step == at // step:
            stretches[-1] = (at, stretches[-1][1])
        else:
            stretches.append((at, []))
        if not math.isnan(point[0]):
            stretches[-1][1].append(point)
    return [
        (at, (sum(point[0] for point in inside) / len(inside), max(point[-1] for point in inside)))
        if inside
        else (at, (math.nan,))
        for at, inside in stretches
    ]
