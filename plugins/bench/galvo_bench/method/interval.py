"""How sure a median is: the bootstrap's percentile interval (Efron, Annals of Statistics 7, 1979, section 3).

Of a median it needs no resampling: a resample's is at most the k-th value when half of it is drawn from the first k,
so the interval is that of endless resamples, and the same data give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log

LEVEL = 0.95


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """The median's; of a single value, that value twice."""
    ordered, size = sorted(values), len(values)
    cut = (1 - level) / 2
    place = next(place for place in range(1, size + 1) if _at_least(size, (size + 1) // 2, place / size) >= cut)
    return ordered[place - 1], ordered[size - place]


def _at_least(size: int, hits: int, chance: float) -> float:
    """Of so many draws, each a hit with that chance."""
    if chance == 1:
        return 1.0
    parts = (
        lgamma(size + 1) - lgamma(hit + 1) - lgamma(size - hit + 1) + hit * log(chance) + (size - hit) * log(1 - chance)
        for hit in range(hits, size + 1)
    )
    return sum(map(exp, parts))
