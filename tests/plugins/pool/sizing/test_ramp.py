"""Connections are opened a few at a time, and after failures one at a time."""

from __future__ import annotations

import random

import pytest

from galvo_pool.sizing import Ramp
from galvo_pool.sizing.ramp import BASE, CAP


def filled(ramp: Ramp, now: float = 0.0) -> int:
    """Begin as many as are allowed."""
    count = ramp.allowed(now)
    for _ in range(count):
        ramp.begin()
    return count


def test_twice_as_many_each_round() -> None:
    ramp, rounds = Ramp(16), []
    for _ in range(6):
        rounds.append(filled(ramp))
        for _ in range(rounds[-1]):
            ramp.opened()
    assert rounds == [2, 4, 8, 16, 16, 16]


def test_after_a_failure_one_alone_and_not_at_once() -> None:
    ramp = Ramp(16, random.Random(1))
    assert filled(ramp) == 2
    ramp.failed(10.0)
    ramp.failed(10.0)
    assert ramp.failing
    assert ramp.allowed(10.0) == 0
    pause = ramp.delay(10.0)
    assert BASE <= pause <= CAP
    assert filled(ramp, 10.0 + pause) == 1
    assert ramp.allowed(10.0 + pause) == 0
    ramp.opened()
    assert not ramp.failing
    assert ramp.allowed(10.0 + pause) == 2


def test_a_success_ends_the_pause() -> None:
    ramp = Ramp(16, random.Random(1))
    filled(ramp)
    ramp.failed(10.0)
    ramp.opened()
    assert ramp.allowed(10.0) == 2
    assert ramp.delay(10.0) == 0


def test_pauses_grow_up_to_a_cap() -> None:
    ramp, now, pauses = Ramp(16, random.Random(7)), 0.0, []
    for _ in range(200):
        now += ramp.delay(now)
        assert filled(ramp, now) >= 1
        ramp.failed(now)
        while ramp.opening:
            ramp.failed(now)
        pauses.append(ramp.delay(now))
    assert min(pauses) >= BASE
    assert max(pauses) == pytest.approx(CAP)
    assert sum(pauses[100:]) > 0.25 * 100 * CAP


def test_processes_that_lost_their_connections_together_come_back_apart() -> None:
    moments = set()
    for seed in range(50):
        ramp = Ramp(16, random.Random(seed))
        ramp.lost(5.0)
        assert ramp.allowed(5.0) == 0
        moments.add(ramp.delay(5.0))
        assert ramp.allowed(5.0 + ramp.delay(5.0)) == 1
    assert len(moments) == 50
    assert max(moments) <= BASE


def test_a_cancelled_one_says_nothing() -> None:
    ramp = Ramp(16)
    ramp.begin()
    ramp.abandoned()
    assert ramp.allowed(0.0) == 2
    assert not ramp.failing


def test_none_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 0 connections at once would open none"):
        Ramp(0)
