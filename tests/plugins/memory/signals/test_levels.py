"""Levels rise at once, and fall after a while of better times."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from galvo import Level
from galvo_memory.signals import Bound, Levels, Sample

NORMAL, ELEVATED, HIGH, CRITICAL = Level


def sample(share: float, at: float, waiting: float = 0.0) -> Sample:
    return Sample(rss=1, limit=1000, used=round(share * 1000), psi_some10=waiting, blocks=1, at=at)


def steps(*shares: float, every: float = 10, **levels: float) -> list[Level | None]:
    made = Levels(**levels)  # type: ignore[arg-type]
    return [made.step(sample(share, number * every)) for number, share in enumerate(shares)]


def test_it_rises_at_once() -> None:
    assert steps(0.5, 0.749, 0.75, 0.85, 0.95) == [None, None, ELEVATED, HIGH, CRITICAL]
    assert steps(0.2, 0.99) == [None, CRITICAL], "over two levels at a time"


def test_a_limit_that_is_reached_or_passed() -> None:
    assert steps(1.0) == [CRITICAL]
    assert steps(1.7) == [CRITICAL]


def test_it_falls_after_the_dwell() -> None:
    assert steps(0.9, 0.5, 0.5, 0.5, 0.5) == [HIGH, None, None, None, NORMAL], "30 s of them"


def test_it_falls_no_further_than_the_worst_of_the_dwell() -> None:
    assert steps(0.97, 0.5, 0.76, 0.5, 0.5) == [CRITICAL, None, None, None, ELEVATED]


def test_use_just_below_the_threshold_holds_a_level() -> None:
    """Else it would change at every sample of a process that hovers round it."""
    assert steps(0.86, 0.84, 0.81, 0.84, 0.86, 0.84, 0.81) == [HIGH, *[None] * 6]
    assert steps(*[0.86, 0.79] * 10) == [HIGH, *[None] * 19], "and so do short dips"


def test_waiting_counts_like_use() -> None:
    levels = Levels()
    waits = [(0, None), (5, ELEVATED), (10, HIGH), (25, CRITICAL), (13, None), (12, None), (12, None), (12, None)]
    for number, (waiting, expected) in enumerate(waits):
        assert levels.step(sample(0.1, 10 * number, waiting)) == expected, number
    assert levels.step(sample(0.1, 90, 1)) is HIGH, "half of 25 and more had held it"


def test_the_fullest_bound_decides() -> None:
    levels = Levels()
    full = Bound("slice", 2000, 1950)
    one = Sample(rss=1, limit=1000, used=100, psi_some10=0, blocks=1, at=0, fullest=full)
    assert levels.step(one) is CRITICAL
    assert levels.over(one) == 50


def test_bytes_over() -> None:
    levels = Levels()
    assert levels.over(sample(0.5, 0)) == 0
    levels.step(sample(0.9, 0))
    assert levels.over(sample(0.9, 0)) == 50
    assert levels.over(sample(0.3, 0)) == 0


def test_nothing_known() -> None:
    levels = Levels()
    assert levels.step(Sample(rss=1, limit=None, used=0, psi_some10=math.nan, blocks=0, at=0)) is None


@given(
    st.lists(st.tuples(st.floats(0, 1.2), st.floats(0, 40)), min_size=1, max_size=60),
    st.floats(0, 0.2), st.floats(0, 100),
)  # fmt: skip
def test_properties(series: list[tuple[float, float]], gap: float, dwell: float) -> None:
    """Never below what a sample reaches; never down before `dwell`; every change is a change."""
    levels = Levels(gap=gap, dwell=dwell)
    thresholds, waits = (0.75, 0.85, 0.95), (5, 10, 25)
    last_reached = dict.fromkeys(Level, -math.inf)
    for number, (share, waiting) in enumerate(series):
        at, before = number * 7.0, levels.level
        one = sample(share, at, waiting)
        share = one.used / 1000
        reached = max(sum(share >= one for one in thresholds), sum(waiting >= one for one in waits))
        for level in Level:
            if level <= reached:
                last_reached[level] = at
        changed = levels.step(one)
        assert levels.level >= reached
        assert (changed is not None) == (levels.level != before)
        if levels.level < before:
            assert at - last_reached[before] >= dwell
