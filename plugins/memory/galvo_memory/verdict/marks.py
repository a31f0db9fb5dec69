"""Low-water marks: the least of each half minute. What garbage comes and goes is above it, what leaks raises it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

SPAN = 30.0
"""Seconds of one mark."""
WARM_UP = 10
"""Marks after the start that are never judged: 5 minutes."""
FIRST, MOST = 20, 40
"""Marks that are judged at once: 10 minutes at first, later up to 20."""
SCALES = (1, 2, 4)
"""Marks that are taken together, as a sawtooth may be longer than half a minute."""
KEPT = 80
"""40 minutes."""


class Stretch(NamedTuple):
    """Marks to be judged, and those before them."""

    times: list[float]
    marks: list[float]
    before: tuple[list[float], list[float]]


class Marks:
    """Of one number; holds 80 of them, whatever the time it runs."""

    __slots__ = ("_began", "_interval", "_least", "_times", "_warm", "marks")

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two samples."""
        self._interval = interval
        self._times: deque[float] = deque(maxlen=KEPT)
        self.marks: deque[float] = deque(maxlen=KEPT)
        self._began = -inf
        self._least = inf
        self._warm = WARM_UP

    def add(self, at: float, value: float) -> bool:
        """True: a mark is complete. `at` in seconds, rising."""
        if self._least == inf:
            self._began = at
        if value < self._least:
            self._least = value
        if at - self._began + self._interval < SPAN * 0.999:
            return False
        if self._warm:
            self._warm -= 1
        else:
            self._times.append((self._began + at) / 2)
            self.marks.append(self._least)
        self._least = inf
        return True

    def __len__(self) -> int:
        return len(self.marks)

    def stretches(self) -> Iterator[Stretch]:
        """The newest, at each scale."""
        times, marks = [*self._times], [*self.marks]
        for scale in SCALES:
            ends = range(len(marks) % scale, len(marks), scale)
            least = [min(marks[at : at + scale]) for at in ends]
            middle = [(times[at] + times[at + scale - 1]) / 2 for at in ends]
            yield Stretch(middle[-MOST:], least[-MOST:], (middle[:-MOST], least[:-MOST]))
