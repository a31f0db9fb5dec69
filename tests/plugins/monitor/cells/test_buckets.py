from __future__ import annotations

import random
from math import ceil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo_monitor.cells import Buckets
from galvo_monitor.cells.buckets import edge, middle, numbers, packed

QS = (0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
LIMIT = 1 / 32
values = st.lists(st.floats(0, 1e12, allow_subnormal=False) | st.integers(0, 1 << 50), min_size=1, max_size=200)


def exact(told: list[float], q: float) -> float:
    return sorted(told)[max(1, ceil(q * len(told))) - 1]


@pytest.mark.parametrize("exponent", [-40, -20, -1, 0, 1, 3, 30, 60])
def test_each_power_of_two_has_16_buckets_of_equal_width(exponent: int) -> None:
    low = 2.0**exponent
    [first] = numbers(packed([low]))
    assert [edge(first + step) for step in range(17)] == [low * (1 + step / 16) for step in range(17)]
    for step in range(16):
        inside = [edge(first + step), middle(first + step), edge(first + step + 1) * (1 - 1e-12)]
        assert list(numbers(packed(inside))) == [first + step] * 3


@given(values)
def test_quantiles_are_within_a_32nd_of_the_exact_ones(told: list[float]) -> None:
    buckets = Buckets.of(told)
    for q in QS:
        assert buckets.quantile(q) == pytest.approx(exact(told, q), rel=LIMIT, abs=1e-300)
    assert buckets.quantiles(QS) == [buckets.quantile(q) for q in QS]


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_quantiles_of_many(sigma: float) -> None:
    chance = random.Random(7)
    told = [chance.lognormvariate(-6, sigma) for _ in range(20_000)]
    buckets = Buckets.of(told)
    for q in QS:
        assert buckets.quantile(q) == pytest.approx(exact(told, q), rel=LIMIT)
    assert buckets.mean == pytest.approx(sum(told) / len(told))
    assert buckets.max == max(told)


def test_of_nothing_there_is_nothing() -> None:
    nothing = Buckets()
    assert (nothing.quantile(0.5), nothing.mean, nothing.below(1.0)) == (None, None, 0)
    assert nothing.plus(nothing) == nothing == nothing.minus(nothing)


def test_zero_and_what_is_almost_zero() -> None:
    buckets = Buckets.of([0.0, 0, 5e-324, 1.0])
    assert buckets.quantile(0.5) == 0.0
    assert buckets.quantile(1) == 1.0


@given(values, values)
def test_parts_add_up_and_come_apart_again(before: list[float], after: list[float]) -> None:
    older, newer = Buckets.of(before), Buckets.of(after)
    both = older.plus(newer)
    assert both.counts == Buckets.of(before + after).counts
    assert both.max == max(before + after)
    again = both.minus(older)
    assert (again.counts, again.count) == (newer.counts, newer.count)
    assert again.max == pytest.approx(newer.max, rel=LIMIT, abs=1e-300)
    for q in QS:
        assert again.quantile(q) == pytest.approx(exact(after, q), rel=LIMIT, abs=1e-300)


def test_after_a_restart_all_of_it_is_new() -> None:
    older, newer = Buckets.of([1.0, 1.0, 2.0]), Buckets.of([1.0, 4.0, 4.0, 4.0])
    assert newer.minus(older) is newer
    newer = Buckets.of([1.0, 2.0, 4.0, 4.0])
    assert newer.minus(older) is newer, "of one bucket there are fewer"
    assert Buckets.of([8.0]).minus(Buckets.of([1.0])) == Buckets.of([8.0])


@given(values, st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=20).map(sorted))
def test_counts_below_bounds_rise_up_to_the_count(told: list[float], bounds: list[float]) -> None:
    buckets = Buckets.of(told)
    found = buckets.cumulated(bounds)
    assert found == sorted(found) == [buckets.below(bound) for bound in bounds]
    for bound, count in zip(bounds, found, strict=True):
        assert (
            sum(value < bound * (1 - 1 / 15) for value in told)
            <= count
            <= sum(value <= bound * (1 + 1 / 15) for value in told)
        )
    assert buckets.below(max(told)) == len(told)


def test_below_an_edge_is_exact() -> None:
    buckets = Buckets.of([0.4, 0.9, 1.1, 3.0])
    assert buckets.cumulated([0.25, 0.5, 1.0, 2.0, 4.0]) == [0, 1, 2, 3, 4]


def test_travels_as_msgpack() -> None:
    buckets = Buckets.of([0.1, 0.2, 3.0])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(buckets), type=Buckets) == buckets


@pytest.mark.parametrize("bad", [["1"], [None], [[1.0]]])
def test_what_is_no_number_is_refused(bad: list[float]) -> None:
    with pytest.raises(TypeError):
        Buckets.of(bad)
