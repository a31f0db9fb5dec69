"""How long calls took, in buckets whose bounds grow by a fifth: what a percentile needs, in little memory."""

from __future__ import annotations

from collections.abc import Iterable
from math import log2

STEPS = 4
"""Buckets for each doubling: a percentile is within 10 % of the exact one."""
SHORTEST = 1e-9
"""Seconds; a clock may give 0."""

Buckets = dict[int, int]
"""Calls by the rounded logarithm of their seconds."""


def add(buckets: Buckets, times: Iterable[float]) -> None:
    """Count each of `times`, in seconds."""
    for seconds in times:
        place = round(log2(seconds if seconds > SHORTEST else SHORTEST) * STEPS)
        buckets[place] = buckets.get(place, 0) + 1


def merge(into: Buckets, other: Buckets) -> None:
    for place, count in other.items():
        into[place] = into.get(place, 0) + count


def quantile(buckets: Buckets, share: float) -> float:
    """The seconds in which that `share` of the calls ended; 0 when there are none."""
    wanted = share * sum(buckets.values())
    for place in sorted(buckets):
        wanted -= buckets[place]
        if wanted <= 0:
            return float(2.0 ** (place / STEPS))
    return 0.0
