"""What is called faster, and what is not."""

from __future__ import annotations

import random
from math import comb
from statistics import median

import pytest

from galvo_bench.method.interval import interval
from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.method.verdict import verdict, verdicts
from galvo_bench.results.model import Missing

QUIET = Result(AGAIN, 1, 1, 0.98, 1.02, 11)
LOUD = Result(AGAIN, 1, 1.05, 0.97, 1.14, 11)


def row(ratio: float, low: float, high: float, rounds: int = 11) -> Result:
    return Result("it", 1, ratio, low, high, rounds)


@pytest.mark.parametrize("one, again, said", [
    (row(0.7, 0.65, 0.75), QUIET, "faster"),
    (row(1.3, 1.2, 1.4), QUIET, "slower"),
    (row(1.01, 0.97, 1.05), QUIET, "same"),
    (row(1.10, 1.05, 1.15), QUIET, "slower"),
    (row(1.04, 1.03, 1.05), QUIET, "slower"),
    (row(1.025, 1.024, 1.026), QUIET, "same"),
    (row(1.10, 1.05, 1.15), LOUD, "same"),
    (row(0.90, 0.87, 0.95), LOUD, "same"),
    (row(1.10, 0.9, 1.3), QUIET, "unsure"),
    (row(0.7, 0.65, 0.75, rounds=5), QUIET, "unsure"),
    (row(0, 0, 0), QUIET, "unsure"),
    (row(0.7, 0.65, 0.75), None, "faster"),
])  # fmt: skip
def test_a_difference_is_further_off_than_its_interval_and_the_noise(
    one: Result, again: Result | None, said: str
) -> None:
    assert verdict(one, again) == said


def test_more_speed_is_faster() -> None:
    assert verdict(row(1.3, 1.2, 1.4), QUIET, "speed") == "faster"
    assert verdict(row(0.7, 0.6, 0.8), QUIET, "throughput") == "slower"


def test_a_baseline_has_no_verdict() -> None:
    rows = [row(1, 1, 1), Missing("peer", "not installed"), Result("other", 1, 2, 1.9, 2.1, 11), QUIET]
    assert verdicts(rows) == {"other": "slower"}
    assert verdicts([]) == {}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 50, 201])
def test_an_interval_is_that_of_many_resamples(size: int) -> None:
    """Efron's bootstrap, drawn."""
    chance = random.Random(size)
    values = [chance.lognormvariate(0, 0.3) for _ in range(size)]
    low, high = interval(values)
    drawn = sorted(median(chance.choices(values, k=size)) for _ in range(4_000))
    assert sum(value < low for value in drawn) <= 0.03 * len(drawn)
    assert sum(value > high for value in drawn) <= 0.03 * len(drawn)
    ordered = sorted(values)
    if low > ordered[0]:
        place = ordered.index(low) + 1
        resampled = sum(value < ordered[place] for value in drawn) / len(drawn)
        unsure = sum(comb(size, below) for below in range(place + 1)) / 2**size
        assert resampled >= 0.02 or unsure > 0.025, "it could be narrower"
