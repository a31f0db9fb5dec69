"""A histogram of 16 buckets for each power of two, whatever the unit; buckets of several are simply added.

A bucket's number is the upper 16 bits of the values in it, as IEEE 754 doubles: exponent and four bits of mantissa.
So a value is off by 1/32 at most when the middle of its bucket stands for it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Collection, Sequence
from itertools import accumulate
from math import ceil

import msgspec

LOW, HIGH = slice(6, None, 8), slice(7, None, 8)
"""Of packed doubles: the lower and the upper byte of their buckets' numbers."""


def packed(values: Collection[float]) -> bytes:
    """Raises TypeError for what is no number, OverflowError for an integer that is too large."""
    try:
        return struct.pack(f"<{len(values)}d", *values)
    except struct.error as error:
        raise TypeError(str(error)) from None


def numbers(data: bytes) -> array[int]:
    """The bucket of each packed value."""
    found = array("H", data)[3::4]
    if sys.byteorder == "big":
        found.byteswap()
    return found


def edge(number: int) -> float:
    """The least value in a bucket."""
    low: float = struct.unpack("<d", struct.pack("<Q", number << 48))[0]
    return low


def middle(number: int) -> float:
    return (edge(number) + edge(number + 1)) / 2 if number else 0.0


class Buckets(msgspec.Struct, frozen=True, gc=False):
    """Never changed, though `counts` could be."""

    counts: dict[int, int] = {}
    """By the number of the bucket; those without any are not there."""
    count: int = 0
    sum: float = 0.0
    max: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Buckets:
        """Raises what `packed` does."""
        counts: dict[int, int] = {}
        for number in numbers(packed(values)):
            counts[number] = counts.get(number, 0) + 1
        return cls(counts, len(values), float(sum(values)), float(max(values, default=0.0)))

    @property
    def mean(self) -> float | None:
        """None: of nothing."""
        return self.sum / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """The value that a share of `q` does not exceed, within 1/32 of it; None: of nothing."""
        found = self.quantiles((q,))
        return found[0] if found else None

    def quantiles(self, qs: Sequence[float]) -> list[float]:
        """Several at once; none of nothing."""
        if not self.counts:
            return []
        ordered = sorted(self.counts.items())
        upto = list(accumulate(count for _, count in ordered))
        found = []
        for q in qs:
            rank = max(1, ceil(q * upto[-1]))
            place = next((place for place, seen in enumerate(upto) if seen >= rank), -1)
            found.append(min(middle(ordered[place][0]), self.max))
        return found

    def below(self, bound: float) -> int:
        """How many are at most `bound`; of the bucket in which that lies, a share of its width."""
        return self.cumulated((bound,))[0]

    def cumulated(self, bounds: Sequence[float]) -> list[int]:
        """`below` of each; `bounds` rise."""
        ordered = sorted(self.counts.items())
        found, seen, place = [], 0, 0
        for bound in bounds:
            if bound >= self.max:
                found.append(self.count)
                continue
            while place < len(ordered) and edge(ordered[place][0] + 1) <= bound:
                seen += ordered[place][1]
                place += 1
            part = 0
            if place < len(ordered) and edge(ordered[place][0]) < bound:
                number, count = ordered[place]
                part = int(count * (bound - edge(number)) / (edge(number + 1) - edge(number)))
            found.append(seen + part)
        return found

    def minus(self, older: Buckets) -> Buckets:
        """What came after `older`; all of it when it is no part of this, as after a restart.

        The largest of it is exact when nothing larger was in `older`, else within 1/32.
        """
        if older.count == self.count and older.sum == self.sum:
            return Buckets()
        counts = {number: count - older.counts.get(number, 0) for number, count in self.counts.items()}
        counts = {number: count for number, count in counts.items() if count}
        if any(count < 0 for count in counts.values()) or not older.counts.keys() <= self.counts.keys():
            return self
        top = self.max if self.max > older.max else min(middle(max(counts)), self.max) if counts else 0.0
        return Buckets(counts, self.count - older.count, max(0.0, self.sum - older.sum), top)

    def plus(self, other: Buckets) -> Buckets:
        counts = dict(self.counts)
        for number, count in other.counts.items():
            counts[number] = counts.get(number, 0) + count
        return Buckets(counts, self.count + other.count, self.sum + other.sum, max(self.max, other.max))
