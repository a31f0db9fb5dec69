"""How much each statement counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from galvo_index.workload import Statement

MOST = 0.3
"""Part of the whole that one statement may have: the planner's error about a single one must not decide everything."""


def weights(statements: Sequence[Statement], base: Mapping[int, float]) -> dict[int, float]:
    """What one unit of the planner's cost of a statement counts, by its number.

    The sum over all statements is in units of cost as well: measured seconds are converted by the median of how many
    seconds a unit took, so that a statement counts by the time that it really takes. `base`: the cost of one call.
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
    most = _cap(list(whole.values()))
    return {number: min(value, most) / max(base[number], 1e-9) for number, value in whole.items()}


def _cap(values: Sequence[float]) -> float:
    """So that none is above MOST of the sum of all, each cut to it."""
    most, part = max(values, default=0.0), max(MOST, 1 / max(len(values), 1))
    for _ in range(40):
        most = min(most, part * sum(min(value, most) for value in values))
    return most
