"""How sure a median is: the bootstrap's percentile interval (Efron, Annals of Statistics 7, 1979, section 3).

Of a median it needs no resampling: a resample's is at most the k-th value when half of it is drawn from the first k,
so the interval is that of endless resamples, and the same data give the same interval. Of few values it is too narrow
(of 7 it is 87 % sure), so it is never narrower than the order statistics that the binomial distribution is sure of
(David and Nagaraja, Order Statistics, section 7.1). Under 6 these are all there is, and not 95 % sure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from math import exp, lgamma, log

LEVEL = 0.95


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """The median's; of a single value, that value twice."""
    ordered, place = sorted(values), _place(len(values), (1 - level) / 2)
    return ordered[place], ordered[-1 - place]


@cache
def _place(size: int, beyond: float) -> int:
    """Of the last value, from below, that not more than that part of the resamples' medians lies below, nor that of
    the true medians."""
    resampled = bisect_left(range(size), beyond, key=lambda place: _at_least(size, (size + 1) // 2, (place + 1) / size))
    sure = sum(_at_least(size, size - place, 0.5) <= beyond for place in range(size // 2)) - 1
    return max(0, min(resampled, sure))


def _at_least(size: int, hits: int, chance: float) -> float:
    """Of so many draws, each a hit with that chance."""
    if chance == 1:
        return 1.0
    parts = (
        lgamma(size + 1) - lgamma(hit + 1) - lgamma(size - hit + 1) + hit * log(chance) + (size - hit) * log(1 - chance)
        for hit in range(hits, size + 1)
    )
    return sum(map(exp, parts))
