"""From a value to a place between 0 and 1, and where the ticks are."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, isfinite, log10

import msgspec

STEPS = (1, 2, 2.5, 5, 10)
LEAST = 1.05
"""Of a logarithmic scale, from its low to its high end."""
TINY = 1e-200
"""Of a linear one, at least; floats have no steps below."""


class Scale(msgspec.Struct, frozen=True):
    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        low, high, place = (
            (log10(self.low), log10(self.high), log10(value)) if self.log else (self.low, self.high, value)
        )
        return (place - low) / (high - low)

    def ticks(self, most: int) -> list[float]:
        """Round values within, about `most` of them at most."""
        if self.log and (found := self._decades(most)):
            return found
        step = self._step(most)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [round(number * step, 12) for number in range(first, last + 1)]

    def rounded(self, most: int) -> Scale:
        """A linear one that ends at a tick."""
        if self.log:
            return self
        step = self._step(most)
        return Scale(step * floor(self.low / step + 1e-9), step * ceil(self.high / step - 1e-9))

    def _step(self, most: int) -> float:
        raw = (self.high - self.low) / most
        size = 10.0 ** floor(log10(raw))
        return size * next(step for step in STEPS if step * size >= raw * 0.999)

    def _decades(self, most: int) -> list[float]:
        """Powers of ten; with 2 and 5 of each, or thinned out, as there is room."""
        found: list[float] = []
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            found = [digit * 10.0**power for power in powers for digit in digits]
            found = [tick for tick in found if self.low * 0.999 <= tick <= self.high * 1.001]
            if len(found) <= most:
                return found if len(found) > 1 else []
        return found[:: ceil(len(found) / most)]


def usable(values: Iterable[float], log: bool) -> list[float]:
    """Those that can be placed: finite, and on a logarithmic scale more than 0."""
    return [value for value in values if isfinite(value) and (value > 0 or not log)]


def around(values: Iterable[float], log: bool = False) -> Scale:
    """A scale that has room for all of them; a linear one begins at 0 unless something is below."""
    found = usable(values, log) or [1.0]
    low, high = min(found), max(found)
    if log:
        return Scale(low, high, log) if high > low * LEAST else Scale(low / LEAST, high * LEAST, log)
    low, high = min(low, 0.0), max(high, 0.0)
    return Scale(low, high) if high - low > TINY else Scale(0.0, 1.0)
