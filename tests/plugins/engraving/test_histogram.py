from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_engraving.histogram import Histogram

nanoseconds = st.integers(0, 10**12)


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_quantiles_are_within_one_per_cent(q: float) -> None:
    random = Random(1)
    values = sorted(int(random.lognormvariate(14, 1.5)) + 1_000 for _ in range(20_000))
    exact = values[int(q * len(values)) - 1] / 1e6
    assert filled(values).quantile(q) == pytest.approx(exact, rel=0.011)


@settings(deadline=None)
@given(st.lists(nanoseconds, min_size=1), st.floats(0.01, 1))
def test_a_quantile_lies_between_the_smallest_and_the_largest(values: list[int], q: float) -> None:
    found = filled(values).quantile(q) * 1e6
    assert min(values) * 0.98 <= found <= max(values) * 1.02 + 2


@settings(deadline=None)
@given(st.lists(nanoseconds), st.lists(nanoseconds))
def test_merging_is_recording_everything_in_one(left: list[int], right: list[int]) -> None:
    merged = filled(left)
    merged.add(Histogram(filled(right).buckets()))
    assert merged.buckets() == filled(left + right).buckets()
    assert merged.count == len(left) + len(right)


def test_nothing_and_far_too_much() -> None:
    assert Histogram().quantile(0.5) == 0
    assert filled([10**30]).count == 1
