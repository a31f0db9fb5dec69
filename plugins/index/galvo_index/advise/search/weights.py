"""How much each statement counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from galvo_index.workload import Statement

MOST = 0.3
"""Part of the whole that one statement may have when its time is not measured: an error of the planner must not decide
everything."""
FEW = 2.0
"""... or this times its share, where there are few."""


@dataclass(frozen=True, slots=True)
class Weights:
    each: Mapping[int, float]
    """What one unit of cost of a statement counts, by its number."""
    most: float

    def worth(self, number: int, cost: float) -> float:
        """Beyond `most` it only counts by its logarithm: what is slow beyond all measure is worth being made faster,
        and once it is as fast as the others it counts like them.
        """
        value = self.each[number] * cost
        return value if value <= self.most else self.most * (1 + math.log(value / self.most))


def weights(statements: Sequence[Statement], base: Mapping[int, float]) -> Weights:
    """In units of cost: measured seconds are converted by the median of how many seconds a unit took, so that a
    statement counts by the time that it really takes. `base`: the cost of one call, by number.
    """
    rates = [
        statements[number].seconds / (statements[number].calls * cost)
        for number, cost in base.items()
        if statements[number].seconds > 0 and cost > 0
    ]
    rate = median(rates) if rates else 0.0
    whole = {
        number: statements[number].seconds / rate if rate and statements[number].seconds else one.calls * base[number]
        for number, one in enumerate(statements)
        if number in base
    }
    each = {number: value / max(base[number], 1e-9) for number, value in whole.items()}
    measured = any(one.seconds for one in statements)
    return Weights(each, math.inf if measured else _most(list(whole.values())))


def _most(values: Sequence[float]) -> float:
    """So that none is above MOST of the sum of all, each cut to it."""
    most, part = max(values, default=0.0), max(MOST, FEW / max(len(values), 1))
    for _ in range(40):
        most = min(most, part * sum(min(value, most) for value in values))
    return most
