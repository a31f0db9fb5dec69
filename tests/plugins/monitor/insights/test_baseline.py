"""A baseline that does not learn from what it should find."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest

from galvo_monitor.insights.baseline import Baseline


def made(interval: float = 30.0, least: float = 0.005) -> Baseline:
    return Baseline(interval=interval, least=least)


def usual(seed: int) -> Iterator[float]:
    """A p95 in seconds: it wanders, has a day and heavy tails."""
    chance, number = random.Random(seed), 0
    while True:
        daily = 1 + 0.4 * math.sin(number * math.tau / 2880)
        yield 0.02 * daily * math.exp(chance.gauss(0, 0.15)) * (2.5 if chance.random() < 0.01 else 1.0)
        number += 1


def warm(baseline: Baseline, numbers: Iterator[float], count: int = 200) -> None:
    for _ in range(count):
        baseline.add(next(numbers))


@pytest.mark.parametrize("seed", range(10))
def test_three_usual_days_have_no_incident(seed: int) -> None:
    baseline, numbers = made(), usual(seed)
    for _ in range(3 * 2880):
        baseline.add(next(numbers))
        assert not baseline.unusual


@pytest.mark.parametrize("seed", range(10))
def test_an_incident_is_seen_at_once_and_to_its_end(seed: int) -> None:
    """50 minutes, three times as slow."""
    baseline, numbers = made(), usual(seed)
    warm(baseline, numbers, 600)
    flags = []
    for _ in range(100):
        baseline.add(3 * next(numbers))
        flags.append(baseline.unusual)
    assert True in flags[:8]
    assert sum(flags) >= 85
    for number in range(30):
        baseline.add(next(numbers))
        assert number < 10 or not baseline.unusual
    assert baseline.outside == 0


def test_what_is_far_out_is_said_at_the_second_number_and_one_alone_never() -> None:
    baseline, numbers = made(), usual(1)
    warm(baseline, numbers)
    baseline.add(1.0)
    assert not baseline.unusual
    baseline.add(1.0)
    assert baseline.unusual
    assert baseline.outside == 2


@pytest.mark.parametrize("seed", range(5))
def test_where_one_in_twenty_is_far_out_two_in_a_row_are_none(seed: int) -> None:
    """But a real incident is one, a little later."""
    chance, baseline = random.Random(seed), made()
    for number in range(2000):
        baseline.add(2.0 if chance.random() < 0.05 and number > 50 else 0.02)
        assert not baseline.unusual or number < 200
    for _ in range(6):
        baseline.add(2.0)
    assert baseline.unusual


def test_what_was_usual_is_known_while_it_is_not() -> None:
    baseline = made()
    for _ in range(100):
        baseline.add(0.02)
    for _ in range(60):
        baseline.add(0.2)
        assert baseline.usual == pytest.approx(0.02)


def test_a_pause_of_an_incident_teaches_nothing() -> None:
    baseline = made()
    for value in (*[0.02] * 100, 0.2, 0.2, 0.2, *[0.03] * 9):
        baseline.add(value)
    assert baseline.outside
    assert baseline.usual == pytest.approx(0.02)


def test_after_an_hour_the_new_level_is_usual() -> None:
    baseline = made()
    for _ in range(100):
        baseline.add(0.02)
    flags = []
    for _ in range(200):
        baseline.add(0.2)
        flags.append(baseline.unusual)
    assert all(flags[1:119])
    assert not any(flags[121:])
    assert baseline.usual == pytest.approx(0.2)


def test_an_end_is_not_called_the_incident() -> None:
    """While it may come back, it is not said that it goes on."""
    baseline = made()
    for _ in range(100):
        baseline.add(0.02)
    for value in (0.2, 0.2, 0.2, 0.02):
        baseline.add(value)
    assert not baseline.unusual
    assert baseline.outside
    baseline.add(0.2)
    assert baseline.unusual


def test_little_is_never_unusual() -> None:
    """A hundred times next to nothing."""
    baseline = made(least=0.005)
    for _ in range(100):
        baseline.add(0.00005)
    for _ in range(10):
        baseline.add(0.005)
        assert not baseline.unusual


def test_nothing_is_unusual_while_it_warms_up() -> None:
    baseline = made()
    for number in range(19):
        baseline.add(0.02 if number < 10 else 2.0)
        assert not baseline.unusual


def test_gaps_teach_nothing() -> None:
    baseline = made()
    for _ in range(100):
        baseline.add(0.02)
    for _ in range(50):
        baseline.add(None)
    assert baseline.usual == pytest.approx(0.02)
    baseline.add(0.2)
    baseline.add(None)
    baseline.add(0.2)
    assert not baseline.unusual


def test_zero_and_steady_numbers_are_numbers() -> None:
    baseline = made()
    for _ in range(100):
        baseline.add(0.0)
    assert not baseline.unusual
    baseline.add(1.0)
    baseline.add(1.0)
    assert baseline.unusual
