"""Forecasts of a full disk: right when it fills, none when it only moves."""

from __future__ import annotations

import random

import pytest

from galvo_monitor.system.filling import FURTHER, FURTHEST, Filling, Readings

GIB = float(1 << 30)


def seen(free: list[float], every: float = 30.0) -> Filling | None:
    readings = Readings()
    for number, value in enumerate(free):
        readings.add(number * every, value)
    return readings.filling()


def test_a_disk_that_fills_fast_is_seen_at_the_second_reading_after_it_began() -> None:
    steady = [10 * GIB] * 20
    assert seen([*steady, 9 * GIB]) is None
    found = seen([*steady, 9 * GIB, 8 * GIB])
    assert found is not None
    assert found.seconds == pytest.approx(8 * 30)
    assert found.rate == pytest.approx(GIB / 30)
    assert found.span == 60


def test_a_slow_one_is_seen_when_it_was_watched_for_long_enough() -> None:
    """2 days to go: it takes a tenth of that to say so."""
    rate = 10 * GIB / (2 * 86400)
    readings = Readings()
    said = None
    for number in range(2 * 2880):
        readings.add(number * 30.0, 100 * GIB - number * 30.0 * rate * 10)
        if said is None and number % 20 == 0 and readings.filling() is not None:
            said = number * 30.0
    assert said is not None
    assert said < 100 * GIB / (10 * rate) / FURTHER * 2


@pytest.mark.parametrize("seed", range(2))
def test_a_disk_that_only_moves_is_none(seed: int) -> None:
    """A day of log files that are written and rotated, and of noise."""
    chance = random.Random(seed)
    readings, free = Readings(), 10 * GIB
    for number in range(2880):
        free -= chance.uniform(0, 4e6)
        if number % 120 == 119:
            free = 10 * GIB
        readings.add(number * 30.0, free + chance.gauss(0, 1e6))
        assert number % 3 or readings.filling() is None


def test_one_that_has_stopped_filling_is_none_at_once() -> None:
    falling = [10 * GIB - number * GIB / 4 for number in range(20)]
    assert seen(falling) is not None
    assert seen([*falling, *falling[-1:] * 12]) is None


def test_one_that_is_full_is_full_now() -> None:
    assert seen([GIB, 0.0]) == Filling(0.0, 0.0, 0.0)


def test_no_forecast_reaches_further_than_it_was_watched_for() -> None:
    chance = random.Random(7)
    for _ in range(300):
        rate, every = 10 ** chance.uniform(3, 9), chance.choice([1.0, 30.0, 300.0])
        values = [max(0.0, 100 * GIB - number * every * rate) for number in range(chance.randint(1, 60))]
        found = seen(values, every)
        if found is not None and found.seconds:
            assert found.seconds <= min(FURTHEST, FURTHER * found.span)
            assert found.rate == pytest.approx(rate, rel=1e-6)


def test_a_clock_that_stands_still_adds_nothing() -> None:
    readings = Readings()
    for _ in range(10):
        readings.add(5.0, GIB)
    assert readings.filling() is None
