"""What the rings keep, for how long, and what becomes of it when the clock or the numbers are odd."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo_monitor.series import Series
from galvo_monitor.store import Store

LAG = Series("galvo.loop.lag", "p95")
START = 1_800_000_000.0
DAY = 86_400


def filled(moments: int, interval: float = 30.0) -> Store:
    store = Store(interval=interval)
    for number in range(moments):
        store.append(START + number * interval, {LAG: float(number)})
    return store


def test_a_window_holds_what_is_later_than_its_begin_oldest_first() -> None:
    store = filled(10)
    now = START + 9 * 30
    assert store.window(LAG, now, 90) == [7, 8, 9]
    assert store.window(LAG, now - 30, 90) == [6, 7, 8]
    assert store.window(LAG, now, 1) == [9]
    assert store.window(Series("other", "value"), now, 90) == []
    assert store.latest(LAG) == 9


def test_recent_values_are_kept_exactly() -> None:
    store = Store(interval=30)
    store.append(START, {LAG: 0.8})
    assert store.latest(LAG) == 0.8
    assert store.window(LAG, START, 30) == [0.8]


def test_series_are_selected_by_some_of_their_attributes() -> None:
    store = Store(interval=30)
    first = Series("hits", "rate", (("level", "l1"), ("table", "job")))
    second = Series("hits", "rate", (("level", "l2"), ("table", "job")))
    store.append(START, {first: 1, second: 2, Series("hits", "value"): 3})
    assert store.select("hits", "rate", {"level": "l1"}) == [first]
    assert store.select("hits", "rate", {"table": "job"}) == [first, second]
    assert store.select("hits", "rate") == [first, second]
    assert store.select("hits", "rate", {"level": "l3"}) == []
    assert store.named(str(first)) == first
    assert store.named("nobody") is None


@pytest.mark.parametrize(
    "seconds,step,points",
    [(900, 30, 30), (3600, 30, 120), (DAY, 180, 480), (7 * DAY, 1500, 404), (90 * DAY, 18_000, 432)],
)
def test_a_chart_gets_the_finest_ring_that_reaches_back(seconds: int, step: float, points: int) -> None:
    store = filled(91 * DAY // 600, interval=600)
    if seconds <= 7 * DAY:
        store = filled(8 * DAY // 30)
    now = max(START + 8 * DAY - 30, START) if seconds <= 7 * DAY else START + 91 * DAY - 600
    past = store.past(LAG, now - seconds, now)
    assert past.step == step
    assert abs(len(past.times) - points) <= 2
    assert None not in past.means
    assert past.times == sorted(past.times)
    assert now - seconds < past.times[0] <= now - seconds + 2 * step
    assert past.times[-1] == now


def test_roll_ups_are_mean_and_highest() -> None:
    store = Store(interval=30)
    begin = START - START % 3600
    for number in range(4 * 2880):  # the raw ring forgets the first three days
        store.append(begin + 30 * number, {LAG: float(number % 10)})
    past = store.past(LAG, begin - 1, begin + 1499, points=10)
    assert past.step == 300
    assert past.means == [4.5] * 5
    assert past.highs == [9] * 5


def test_highest_survives_being_thinned_out() -> None:
    store = Store(interval=30)
    for number in range(2000):
        store.append(START + 30 * number, {LAG: 100.0 if number == 777 else 1.0})
    past = store.past(LAG, START - 1, START + 60_000, points=50)
    assert len(past.times) <= 52
    assert max(high for high in past.highs if high is not None) == 100


def test_gaps_are_none_and_no_value() -> None:
    store = Store(interval=30)
    for number in (0, 1, 2, 10, 11):
        store.append(START + 30 * number, {LAG: 5.0})
    store.append(START + 360, {})
    store.append(START + 390, {LAG: math.nan})
    past = store.past(LAG, START - 1, START + 400)
    assert past.means == [5, 5, 5, None, 5, 5, None, None]
    assert past.highs == past.means
    assert store.window(LAG, START + 390, 400) == [5] * 5
    assert store.latest(LAG) is None


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_what_is_no_finite_number_is_a_gap(odd: float) -> None:
    store = filled(3)
    store.append(START + 90, {LAG: odd})
    assert store.latest(LAG) is None
    assert store.window(LAG, START + 90, 60) == [2]


def test_numbers_too_large_for_four_bytes() -> None:
    store = Store(interval=600)
    for number in range(20):
        store.append(START + 600 * number, {LAG: 1e300})
    past = store.past(LAG, START - 1, START + 12_000)
    assert past.means == [1e300] * 20
    for number in range(20, 400):
        store.append(START + 600 * number, {LAG: 1e300})
    past = store.past(LAG, START - 1, START + 7200)
    assert all(mean is not None and 3e38 < mean < 4e38 for mean in past.means)


def test_a_clock_set_far_ahead_and_back_costs_only_what_has_not_come_yet() -> None:
    store = filled(3000)
    now = START + 3000 * 30
    for number in range(3):
        store.append(now + 3e8 + 30 * number, {LAG: -1.0})
    store.append(now, {LAG: 3000.0})
    assert store.window(LAG, now, 90) == [2998, 2999, 3000]
    for start, end in ((now - 900, now), (now - 3 * DAY, now), (now - 90 * DAY, now + 4e8)):
        past = store.past(LAG, start, end)
        assert -1 not in past.means
        assert past.times == sorted(past.times)
        assert past.times[-1] == now
    for number in range(1, 200):
        store.append(now + 30 * number, {LAG: 3000.0})
    assert store.past(LAG, START - 2 * DAY, now + 30 * 199).highs[-1] == 3000


def test_a_clock_set_back_makes_the_new_time_count() -> None:
    store = filled(100)
    store.append(START + 1500, {LAG: -1.0})
    store.append(START + 1530, {LAG: -2.0})
    assert store.window(LAG, START + 1530, 120) == [48, 49, -1, -2]
    past = store.past(LAG, START - 1, START + 3000)
    assert past.times[-1] == START + 1530
    assert len(past.times) == 52


def test_a_long_sleep_is_one_gap() -> None:
    store = filled(10)
    store.append(START + 5 * DAY, {LAG: 10.0})
    past = store.past(LAG, START - 1, START + 5 * DAY)
    assert past.means.count(None) == 1
    assert len(past.times) == 12


@given(st.lists(st.floats(START, START + 10 * DAY) | st.floats(0, 4e9), min_size=1, max_size=300))
def test_any_clock(times: list[float]) -> None:
    store = Store(interval=3600)
    for number, at in enumerate(times):
        store.append(at, {LAG: float(number)})
        assert store.latest(LAG) == number
        assert store.window(LAG, at, 1e-3 * max(1, at * 1e-9))[-1] == number
        past = store.past(LAG, at - 90 * DAY, at)
        assert past.times == sorted(past.times)
        assert len(past.times) <= 1100
        assert past.times[-1] == at


def test_what_does_not_fit_is_counted_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(interval=30, most=2)
    values = {Series("requests", "rate", (("label", str(number)),)): 1.0 for number in range(5)}
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            store.append(START + 30 * number, values)
    assert store.refused == 3
    assert len(store) == 2
    assert [record.getMessage() for record in caplog.records] == [
        '3 series do not fit into the 2 of the store, the first is requests{label="2"} rate: '
        "raise series under [monitor]"
    ]


def test_what_is_needed_always_fits() -> None:
    """In the place of what is only drawn, the newest first, and else as one more."""
    store = Store(interval=30, most=3)
    first, drawn, late = (Series(name, "value") for name in ("first", "drawn", "late"))
    alerts = [Series("alert", "value", (("number", str(number)),)) for number in range(3)]
    store.needed = alerts.__contains__
    store.append(START, {first: 1.0, drawn: 1.0, alerts[0]: 1.0})
    store.append(START + 30, {late: 2.0, first: 2.0, drawn: 2.0, alerts[0]: 2.0, alerts[1]: 2.0})
    assert set(store.known) == {first, *alerts[:2]}
    assert store.problem == (
        "1 series do not fit into the 3 of the store, the first is late value: raise series under [monitor]"
    )
    assert store.past(drawn, START, START + 60).means in ([], [None])
    store.append(START + 60, dict.fromkeys((late, first, drawn, *alerts), 3.0))
    store.append(START + 90, dict.fromkeys(alerts, 4.0))
    assert [store.window(one, START + 90, 60) for one in alerts] == [[3.0, 4.0]] * 3
    assert set(store.known) == set(alerts)
    assert store.problem is None


def test_whoever_was_silent_for_a_day_makes_room() -> None:
    store = Store(interval=600, most=1)
    store.append(START, {LAG: 1.0})
    other = Series("other", "value")
    for number in range(1, 144):
        store.append(START + 600 * number, {other: 2.0})
        assert store.select("other", "value") == []
    store.append(START + 600 * 144, {other: 2.0})
    assert store.select("other", "value") == [other]
    assert store.select(LAG.metric, LAG.aggregate) == []
    assert store.named(str(LAG)) is None
    assert set(store.past(LAG, START - 1, START + DAY).means) == {None}


@pytest.mark.parametrize("interval,steps", [(0.1, 3), (1, 3), (30, 2), (60, 2), (600, 1), (3600, 1)])
def test_any_interval_has_a_day_and_three_months(interval: float, steps: int) -> None:
    store = Store(interval=interval)
    assert len(store.steps) == steps
    for number in range(50):
        store.append(START + interval * number, {LAG: 1.0})
    assert store.past(LAG, START - 90 * DAY, START + 50 * interval).means == [1.0] * 50


def test_it_grows_with_what_it_holds_and_then_no_more() -> None:
    """The figures of the documentation."""
    series = [Series("m", "rate", (("number", str(number)),)) for number in range(4)]
    store = Store(interval=30)
    store.append(START, dict.fromkeys(series, 1.0))
    assert store.nbytes == 5 * 8
    store = Store(interval=30)
    for step, count in ((300.0, 3000), (3600.0, 3000)):
        store.restore({step: {START - step * number: dict.fromkeys(series, (1.0, 2.0)) for number in range(count)}})
    for number in range(2880):
        store.append(START + 30 * number, dict.fromkeys(series, 1.0))
    full = store.nbytes
    for number in range(2880, 3000):
        store.append(START + 30 * number, dict.fromkeys(series, 1.0))
    assert store.nbytes == full
    times = 8 * (2880 + 2016 + 2160)
    assert (full - times) / 4 == 8 * (2880 + 2016 + 2160)  # 40 series: 2.2 MiB, 1 MiB of it in the first day


@pytest.mark.parametrize("moments", [3, 2880, 2883])
def test_a_series_that_came_late_or_was_away_has_gaps_wherever_the_ring_begins(moments: int) -> None:
    store = filled(moments)
    late = Series("late", "value")
    for number in range(moments, moments + 4):
        store.append(START + 30 * number, {LAG: 1.0} | ({late: float(number)} if number % 2 else {}))
    end = START + 30 * (moments + 3)
    whole = [*store._raw.between(late, 0, end)]
    assert len(whole) == len(store._raw)
    assert [point[0] for _, point in whole if not math.isnan(point[0])] == store.window(late, end, 120)
    assert store.window(late, end, 120) == [number for number in range(moments, moments + 4) if number % 2]


def test_what_is_rolled_up_is_looked_for_from_where_it_was_left() -> None:
    store = filled(200)
    every = store.rolled(300, 0)
    assert len(every) == 19
    assert store.rolled(300, every[4][0]) == every[5:]
    assert store.rolled(300, every[4][0], 3) == every[5:8]
    looked: list[int] = []
    ring = store._roll_ups[0].ring
    ring._times = Looked(ring._times, looked)  # type: ignore[assignment]
    assert store.rolled(300, every[-1][0]) == []
    assert len(looked) < 12, "not at all of them"


class Looked:
    """Times that know at which of them somebody has looked."""

    def __init__(self, times: Sequence[float], looked: list[int]) -> None:
        self._times, self._looked = times, looked

    def __getitem__(self, place: int) -> float:
        self._looked.append(place)
        return self._times[place]
