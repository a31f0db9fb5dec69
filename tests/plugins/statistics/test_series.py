"""The statistics against their definitions, computed another way."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations
from statistics import variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo_statistics import kendall, long_run_variance, student, theil_sen

VALUES = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=25)


@given(VALUES, st.data())
def test_theil_sen(y: list[int], data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.integers(1, 50), min_size=len(y), max_size=len(y)))
    x = [sum(gaps[: at + 1]) for at in range(len(y))]
    slopes = sorted(Fraction(b - a, t - s) for (s, a), (t, b) in combinations(zip(x, y, strict=True), 2))
    middle = len(slopes) // 2
    exact = slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2
    assert theil_sen(x, y) == pytest.approx(float(exact), rel=1e-12, abs=1e-12)
    steeper = [value + 7 * at for at, value in zip(x, y, strict=True)]
    assert theil_sen(x, steeper) == pytest.approx(float(exact) + 7, rel=1e-9, abs=1e-9)


@given(VALUES)
def test_kendall(y: list[int]) -> None:
    pairs = [*combinations(y, 2)]
    expected = Fraction(sum(a < b for a, b in pairs) - sum(a > b for a, b in pairs), len(pairs))
    assert kendall(y) == pytest.approx(float(expected))
    assert kendall(y[::-1]) == pytest.approx(-float(expected))


@given(VALUES, st.integers(0, 6))
def test_long_run_variance(y: list[int], lags: int) -> None:
    """The weights are those of the mean square of moving sums over lags + 1 items, the ends filled up with zeros."""
    mean = Fraction(sum(y), len(y))
    lags = min(lags, len(y) - 1)
    padded = [Fraction(0)] * lags + [value - mean for value in y] + [Fraction(0)] * lags
    sums = [sum(padded[at : at + lags + 1]) for at in range(len(y) + lags)]
    expected = sum(total * total for total in sums) / (lags + 1) / (len(y) - 1)
    assert long_run_variance(y, lags) == pytest.approx(float(expected), rel=1e-6, abs=1e-6)
    assert long_run_variance(y, 0) == pytest.approx(variance(y), rel=1e-6, abs=1e-6)


@given(st.floats(-20, 20), st.integers(1, 40))
def test_student(t: float, df: int) -> None:
    """Against Simpson's rule for the density, substituting x = sqrt(df) tan(u)."""
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    low, high, parts = math.atan2(t, math.sqrt(df)), math.pi / 2, 400
    width = (high - low) / parts
    weights = [1, *[4, 2] * (parts // 2 - 1), 4, 1]
    points = [math.cos(low + at * width) ** (df - 1) if df > 1 else 1.0 for at in range(parts + 1)]
    expected = scale * width / 3 * sum(weight * point for weight, point in zip(weights, points, strict=True))
    assert student(t, df) == pytest.approx(expected, abs=1e-7)
    assert student(t, df) + student(-t, df) == pytest.approx(1)


@pytest.mark.parametrize("t, df, p", [(6.314, 1, 0.05), (2.920, 2, 0.05), (5.841, 3, 0.005), (2.878, 18, 0.005)])
def test_student_as_printed_in_tables(t: float, df: int, p: float) -> None:
    assert student(t, df) == pytest.approx(p, rel=1e-3)
