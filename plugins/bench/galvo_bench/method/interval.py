"""How sure a median is: the bootstrap (Efron, Annals of Statistics 7, 1979), percentile method, seeded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

RESAMPLES = 1_000
LEVEL = 0.95


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """The median's; of a single value, that value twice."""
    if len(values) == 1:
        return values[0], values[0]
    chance = random.Random(len(values))  # noqa: S311  # the same data give the same interval
    found = sorted(median(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    cut = round((1 - level) / 2 * RESAMPLES)
    return found[cut], found[-1 - cut]
