"""How long calls took, in buckets whose bounds grow by a fifth: what a percentile needs, in little memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import log2

STEPS = 4
"""Buckets for each doubling: a percentile is within 10 % of the exact one."""
SHORTEST = 1e-9
"""Seconds; a clock may give 0."""

Buckets = dict[int, int]
"""Calls by the rounded logarithm of their seconds."""


def add(buckets: Buckets, times: Sequence[float]) -> None:
    """Count each of `times`, in seconds, which are sorted: calls are alike, so most share a bucket."""
    at, end = 0, len(times)
    while at < end:
        place = round(log2(max(times[at], SHORTEST)) * STEPS)
        after = max(at + 1, bisect_right(times, 2.0 ** ((place + 0.5) / STEPS), at))
        buckets[place] = buckets.get(place, 0) + after - at
        at = after


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
