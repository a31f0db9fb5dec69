"""Latencies in logarithmic buckets: any number of values in a few kilobytes, and mergeable."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

GROWTH = 1.02
"""Each bucket is 2 % wider than the one before, so a quantile is off by 1 % at most."""
_PER_LOG = 1 / log(GROWTH)
_SIZE = 1_400
"""Buckets: from 1 ns to 18 minutes."""


class Histogram:
    __slots__ = ("_counts",)

    def __init__(self, buckets: Iterable[tuple[int, int]] = ()) -> None:
        self._counts = [0] * _SIZE
        for bucket, count in buckets:
            self._counts[bucket] += count

    def record(self, nanoseconds: int) -> None:
        self._counts[min(_SIZE - 1, int(log(nanoseconds) * _PER_LOG)) if nanoseconds > 1 else 0] += 1

    def add(self, other: Histogram) -> None:
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]

    def buckets(self) -> list[tuple[int, int]]:
        """(bucket, count) of those that hold anything; `Histogram(buckets)` is the way back."""
        return [(bucket, count) for bucket, count in enumerate(self._counts) if count]

    @property
    def count(self) -> int:
        return sum(self._counts)

    def quantile(self, q: float) -> float:
        """Milliseconds below which the share `q` (0 to 1) of the values lies; 0 when there are none."""
        wanted, seen = q * self.count, 0
        for bucket, count in self.buckets():
            seen += count
            if seen >= wanted:
                return float(GROWTH ** (bucket + 0.5)) / 1e6
        return 0.0
