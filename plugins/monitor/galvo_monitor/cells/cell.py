"""What has been told of one metric.

Telling is `values.append(value)`: one step of the interpreter, whichever thread does it, so nothing gets lost and
nobody waits. The values are added up some hundred at a time (`settle`), by one thread at a time.
"""

from __future__ import annotations

from collections import Counter as Counting
from math import isfinite

from galvo_monitor.cells.buckets import Buckets, numbers

NEGATIVE = 1 << 15
"""The first bucket of negative values: the sign is a double's first bit."""


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
    __slots__ = ("last", "told")

    def __init__(self) -> None:
        super().__init__()
        self.last = 0.0
        self.told = False
        """Since somebody asked."""

    def add(self, values: list[float]) -> None:
        _sum(values)
        self.last = float(values[-1])
        self.told = True


class Histogram(Cell):
    """Of durations and sizes: what is negative is among the smallest."""

    __slots__ = ("_counts", "_max", "_read", "_sum")

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counting[int] = Counting()
        self._sum = self._max = 0.0
        self._read: Buckets | None = Buckets()

    def add(self, values: list[float]) -> None:
        total = _sum(values)
        self._counts.update(numbers(values))
        self._sum += total
        self._max = max(self._max, float(max(values)))
        self._read = None

    def buckets(self) -> Buckets:
        """The same object as before if nothing was added."""
        if self._read is None:
            counts = self._counts
            for number in [number for number in counts if number >= NEGATIVE]:
                counts[0] += counts.pop(number)
            self._read = Buckets(dict(counts), counts.total(), max(0.0, self._sum), self._max)
        return self._read


def _sum(values: list[float]) -> float:
    total = float(sum(values))
    if not isfinite(total):
        raise ValueError("not finite")
    return total


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e300
