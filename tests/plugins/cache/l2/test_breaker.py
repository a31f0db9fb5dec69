"""The circuit breaker, on a clock that the test moves."""

from __future__ import annotations

import pytest

from galvo_cache.l2.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.allow()
        breaker.record(False)


def test_opens_when_half_of_at_least_five_calls_failed(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    assert not breaker.allow()
    assert breaker.counts["opened"] == 1


def test_stays_closed_while_most_calls_succeed(breaker: Breaker) -> None:
    for _ in range(100):
        breaker.record(True)
        breaker.record(True)
        breaker.record(False)
    assert breaker.state == "closed"
    for _ in range(101):
        breaker.record(False)
    assert breaker.state == "open"


def test_old_failures_do_not_count(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now += 10.1
    fail(breaker, 4)
    assert breaker.state == "closed"
    clock.now += 5
    fail(breaker, 1)
    assert breaker.state == "open"


def test_one_probe_decides(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 0.9
    assert not breaker.allow()
    clock.now += 0.2
    assert [breaker.allow() for _ in range(3)] == [True, False, False]
    assert breaker.state == "half_open"
    breaker.record(True)
    assert breaker.state == "closed"
    assert breaker.allow()
    fail(breaker, 4)
    assert breaker.state == "closed"


def test_every_failed_probe_doubles_the_pause_up_to_half_a_minute(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    for pause in (1, 2, 4, 8, 16, 30, 30):
        clock.now += pause - 0.01
        assert not breaker.allow()
        clock.now += 0.02
        assert breaker.allow()
        breaker.record(False)
        assert breaker.state == "open"
    clock.now += 31
    assert breaker.allow()
    breaker.record(True)
    fail(breaker, 5)
    clock.now += 1.01
    assert breaker.allow(), "a success sets the pause back"


def test_outcomes_that_come_late_do_not_close_it(breaker: Breaker) -> None:
    fail(breaker, 5)
    breaker.record(True)
    assert breaker.state == "open"


def test_a_probe_that_nobody_reports_on_is_repeated(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 1.1
    assert breaker.allow()
    assert not breaker.allow()
    clock.now += 1.1
    assert breaker.allow()
