"""What has been told of one metric.

Telling is `values.append(value)`: one step of the interpreter, whichever thread does it, so nothing gets lost and
nobody waits. The values are added up some hundred at a time (`settle`), by one thread at a time.
"""

from __future__ import annotations

from collections import Counter as Counting
from collections import defaultdict
from math import isfinite

from galvo_monitor.cells.buckets import HIGH, LOW, Buckets, numbers, packed

NEGATIVE = 1 << 7
"""The first upper byte of negative values: the sign is a double's first bit."""

UNKNOWN = float("nan")
"""This very object tells that a gauge has no value any more; any other NaN does not count."""


class Cell:
    """Of a metric of any kind."""

    __slots__ = ("bound", "values")

    def __init__(self) -> None:
        self.values: list[float] = []
        """Told, and not yet added up."""
        self.bound = 0
        """Objects by which it is found."""

    def settle(self) -> None:
        """Add up what was told until now; what is no finite number does not count. Others may tell meanwhile."""
        taken = self.values[:]
        del self.values[: len(taken)]
        if taken:
            try:
                self.add(taken)
            except (TypeError, ValueError, OverflowError):
                if sound := [value for value in taken if _finite(value)]:
                    self.add(sound)

    def add(self, values: list[float]) -> None:
        """Raises TypeError, ValueError and OverflowError for what does not count, and is then unchanged."""
        raise NotImplementedError


class Counter(Cell):
    """Only rises: what is negative counts as nothing."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0

    def add(self, values: list[float]) -> None:
        total = _sum(values)
        self.total += total if min(values) >= 0 else _sum([max(0.0, value) for value in values])


class Gauge(Cell):
    """The last value."""

    __slots__ = ("last", "told")

    def __init__(self) -> None:
        super().__init__()
        self.last = 0.0
        self.told = False
        """Since somebody asked."""

    def add(self, values: list[float]) -> None:
        if values[-1] is UNKNOWN:
            self.last = UNKNOWN
        else:
            _sum(values)
            self.last = float(values[-1])
        self.told = True


class Histogram(Cell):
    """Of durations and sizes: what is negative is among the smallest.

    Counting single bytes takes half as long as counting numbers, so the upper byte of a bucket's number, which is the
    same for 16 powers of two and so for most values of a metric, chooses the counts of the lower one.
    """

    __slots__ = ("_counts", "_max", "_read", "_sum")

    def __init__(self) -> None:
        super().__init__()
        self._counts: defaultdict[int, Counting[int]] = defaultdict(Counting)
        self._sum = self._max = 0.0
        self._read: Buckets | None = Buckets()

    def add(self, values: list[float]) -> None:
        total = _sum(values)
        data = packed(values)
        high = data[HIGH]
        if high.count(high[0]) == len(high):
            self._counts[high[0]].update(data[LOW])
        else:
            for number, count in Counting(numbers(data)).items():
                self._counts[number >> 8][number & 255] += count
        self._sum += total
        self._max = max(self._max, float(max(values)))
        self._read = None

    def buckets(self) -> Buckets:
        """The same object as before if nothing was added."""
        if self._read is None:
            counts: dict[int, int] = {}
            for high, each in self._counts.items():
                for low, count in each.items():
                    number = high << 8 | low if high < NEGATIVE else 0
                    counts[number] = counts.get(number, 0) + count
            self._read = Buckets(counts, sum(counts.values()), max(0.0, self._sum), self._max)
        return self._read


def _sum(values: list[float]) -> float:
    total = float(sum(values))
    if not isfinite(total):
        raise ValueError("not finite")
    return total


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e300
