"""Statistics of short series, in plain Python: SciPy would cost 87 MiB and a second to import."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

Series = Sequence[float]


def theil_sen(x: Series, y: Series) -> float:
    """The median of all pairs' slopes; `x` rises strictly. Theil (1950); Sen, JASA 63 (1968)."""
    n = len(y)
    return median([(y[j] - y[i]) / (x[j] - x[i]) for i in range(n) for j in range(i + 1, n)])


def kendall(y: Series) -> float:
    """Kendall's tau-a of `y` against time: pairs that rise less pairs that fall, of all. Biometrika 30 (1938)."""
    n = len(y)
    signs = sum((y[j] > y[i]) - (y[j] < y[i]) for i in range(n) for j in range(i + 1, n))
    return signs / (n * (n - 1) / 2)


def long_run_variance(y: Series, lags: int) -> float:
    """Variance of the sum of `y`, per item, with Bartlett's weights. Newey & West, Econometrica 55 (1987)."""
    n, mean = len(y), fmean(y)
    rest = [value - mean for value in y]
    total = sum(value * value for value in rest)
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * sum(a * b for a, b in zip(rest, rest[lag:], strict=False))
    return total / (n - 1)


def student(t: float, df: int) -> float:
    """P(T > t) of Student's distribution with `df` degrees of freedom. Abramowitz & Stegun (1964), 26.7.3-4."""
    angle = math.atan2(t, math.sqrt(df))
    cos, sin = math.cos(angle), math.sin(angle)
    if df % 2:
        term, total = cos, cos if df > 1 else 0.0
        for k in range(3, df, 2):
            term *= (k - 1) / k * cos * cos
            total += term
        inside = 2 / math.pi * (angle + sin * total)
    else:
        term = total = 1.0
        for k in range(2, df, 2):
            term *= (k - 1) / k * cos * cos
            total += term
        inside = sin * total
    return (1 - inside) / 2
