"""The last so many moments and what was measured in each: one axis of times that all series share.

A slot is a moment, not a place on the clock's scale. So a clock that jumps costs no more than the moments that it says
have not come yet.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Literal

from galvo_monitor.series import Series

Point = tuple[float, ...]
"""What one moment has of one series: a number for each column."""


class Ring:
    """Grows as it is filled, up to `slots` moments; then the oldest makes room."""

    def __init__(self, step: float, slots: int, columns: int, code: Literal["d", "f"]) -> None:
        """`step`: seconds between two moments, about. `code`: "d" keeps numbers exactly, "f" seven digits of them."""
        self.step = step
        self.slots = slots
        self._code = code
        self._nothing: Point = (math.nan,) * columns
        self._times = array("d")
        self._columns: dict[Series, tuple[array[float], ...]] = {}
        self._begin = self._end = 0
        """Of the moments that are kept, counted since the start; each is in the slot of its number modulo `slots`."""

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def earliest(self) -> float | None:
        return self._times[self._begin % self.slots] if len(self) else None

    @property
    def last(self) -> float | None:
        return self._times[(self._end - 1) % self.slots] if len(self) else None

    @property
    def nbytes(self) -> int:
        columns = [self._times, *chain.from_iterable(self._columns.values())]
        return sum(len(column) * column.itemsize for column in columns)

    def append(self, at: float, points: Mapping[Series, Point]) -> None:
        """`at`: seconds since the epoch. Series without a point have a gap."""
        self.forget(at)
        slot = self._end % self.slots
        _put(self._times, slot, at)
        for series in points:
            if series not in self._columns:
                self._columns[series] = tuple(array(self._code) for _ in self._nothing)
        for series, columns in self._columns.items():
            for column, value in zip(columns, points.get(series, self._nothing), strict=True):
                _put(column, slot, value)
        self._end += 1
        self._begin = max(self._begin, self._end - self.slots)

    def forget(self, at: float) -> None:
        """Drop what was recorded for `at` and later: the clock has been set back."""
        while len(self) and self._times[(self._end - 1) % self.slots] >= at:
            self._end -= 1

    def drop(self, series: Series) -> None:
        self._columns.pop(series, None)

    def between(self, series: Series, start: float, end: float) -> Iterator[tuple[float, Point]]:
        """Moments in (start, end], oldest first; numbers are NaN in gaps. They are copied at once."""
        first, last = self._after(start), self._after(end)
        times = self._cut(self._times, first, last)
        columns = self._columns.get(series)
        if columns is None:
            return ((at, self._nothing) for at in times)
        return zip(times, zip(*(self._cut(column, first, last) for column in columns), strict=True), strict=True)

    def newest(self, series: Series) -> Point:
        columns = self._columns.get(series)
        if columns is None or not len(self):
            return self._nothing
        return tuple(_get(column, (self._end - 1) % self.slots) for column in columns)

    def moments(self, after: float = -math.inf) -> Iterator[tuple[float, dict[Series, Point]]]:
        """All that is kept and later than `after`, oldest first."""
        for moment in range(self._after(after), self._end):
            slot = moment % self.slots
            points = {
                series: tuple(_get(column, slot) for column in columns) for series, columns in self._columns.items()
            }
            yield self._times[slot], {series: point for series, point in points.items() if not math.isnan(point[0])}

    def _cut(self, column: array[float], first: int, last: int) -> array[float]:
        """The values of moments, which a column that has had none for a while does not reach."""
        begin, length = first % self.slots, last - first
        cut = column[begin : min(begin + length, self.slots)]
        cut.extend([math.nan] * (min(length, self.slots - begin) - len(cut)))
        rest = length - len(cut)
        cut.extend(column[:rest])
        cut.extend([math.nan] * (length - len(cut)))
        return cut

    def _after(self, at: float) -> int:
        """The first moment later than `at`."""
        low, high = self._begin, self._end
        while low < high:
            middle = (low + high) // 2
            if self._times[middle % self.slots] <= at:
                low = middle + 1
            else:
                high = middle
        return low


def _put(column: array[float], slot: int, value: float) -> None:
    if slot < len(column):
        column[slot] = value
    else:
        column.extend([math.nan] * (slot - len(column)))
        column.append(value)


def _get(column: array[float], slot: int) -> float:
    return column[slot] if slot < len(column) else math.nan
