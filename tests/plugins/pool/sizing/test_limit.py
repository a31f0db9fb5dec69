"""The limit, step by step: what it does after which measurement, and what it says about it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from galvo_pool.sizing import Limit
from galvo_pool.sizing.statements import CLIP, MOST, Statements


class Clock:
    """Ticks a limit: so many statements of so many seconds each since the last tick."""

    def __init__(self, low: int = 1, high: int = 64, start: int = 5) -> None:
        self.limit = Limit(low, high, start)
        self.now = 0.0

    def tick(
        self, seconds: float = 0.001, *, count: int = 200, waiting: int = 10, busy: int = -1, failing: bool = False
    ) -> int:
        for _ in range(count):
            self.limit.record("select 1", seconds)
        self.now += 0.25
        used = self.limit.value if busy < 0 else busy
        return self.limit.tick(now=self.now, waiting=waiting, busy=used, failing=failing)

    def until(
        self, said: str, *, size: int = 0, waiting: int = 10, count: Callable[[int], int] = lambda size: 200
    ) -> None:
        """Ticks until it says so (and the limit is `size`)."""
        for _ in range(1000):
            self.tick(0.002, count=count(self.limit.value), waiting=waiting)
            if said in self.limit.explain() and size in (0, self.limit.value):
                return
        pytest.fail(self.limit.explain())

    def proven(self, seconds: float = 0.001) -> Clock:
        """The baseline is measured."""
        while "quiet server, as" not in self.limit.explain():
            self.tick(seconds)
        return self


def test_it_first_measures_what_a_quiet_server_takes() -> None:
    clock = Clock()
    assert (
        clock.limit.explain() == "5 connections may be busy at once: it is where it started, nothing was measured yet."
    )
    assert clock.tick(0.0025) == 2
    assert "only few statements run" in clock.limit.explain()
    clock.tick(0.0025)
    assert clock.tick(0.001) == 5
    assert "statements take 2.5 times" in clock.limit.explain()


def test_it_doubles_while_statements_take_no_longer() -> None:
    clock = Clock().proven()
    assert [clock.tick() for _ in range(5)] == [10, 20, 40, 64, 64]
    assert "as large as it may be" in clock.limit.explain()


def test_it_grows_by_a_quarter_when_they_take_longer() -> None:
    clock = Clock(start=8).proven()
    assert clock.tick(0.0016) == 10


def test_it_shrinks_at_once_when_they_take_much_longer() -> None:
    clock = Clock(start=40).proven()
    assert [clock.tick(0.010) for _ in range(3)] == [28, 19, 13]
    assert "so it shrinks" in clock.limit.explain()


def test_it_does_not_grow_without_waiters() -> None:
    clock = Clock().proven()
    assert {clock.tick(waiting=0) for _ in range(50)} == {5}
    assert "nobody waits" in clock.limit.explain()


def test_it_does_not_grow_while_connecting_fails() -> None:
    clock = Clock().proven()
    assert {clock.tick(failing=True) for _ in range(50)} == {5}
    assert "new connections fail" in clock.limit.explain()


def test_a_lock_is_no_load() -> None:
    """A few statements wait for a lock for seconds: the others go on as before, and so does the limit."""
    clock = Clock().proven()
    for _ in range(4):
        clock.limit.record("select 1", 10.0)
    assert clock.tick() == 10


def test_all_behind_a_lock() -> None:
    """Nothing ends, tasks wait: one more now and then, for those that the lock does not hold."""
    clock = Clock().proven()
    assert [clock.tick(count=0) for _ in range(8)] == [5, 5, 5, 6, 6, 6, 6, 7]
    assert "no statement ends" in clock.limit.explain()


def test_new_bounds() -> None:
    clock = Clock().proven()
    clock.limit.bounds(1, 3)
    assert clock.limit.value == 3
    clock.limit.bounds(8, 8)
    assert clock.limit.value == 8


def test_a_trial_ends_when_nobody_would_make_use_of_more() -> None:
    clock = Clock(start=8).proven()
    assert clock.tick(0.002) == 8
    assert "8 and 16 are tried in turns" in clock.limit.explain()
    assert clock.limit.pace < 0.05, "turns are short"
    clock.until("nobody waits", waiting=0)
    assert clock.limit.value == 8
    assert clock.limit.pace == 0.25


def test_it_tries_no_more_than_are_there() -> None:
    """Those beyond the limit are leaving: the 16 that were busy at most are not 8 more than wait now."""
    clock = Clock(start=8).proven()
    clock.tick(0.002, waiting=2, busy=16)
    assert "8 and 10 are tried in turns" in clock.limit.explain()


def test_a_trial_in_vain_is_not_repeated() -> None:
    """10 tasks waited when it began, and then none: fewer are tried next."""
    clock = Clock(start=8).proven()
    clock.tick(0.002)
    assert "8 and 16 are tried in turns" in clock.limit.explain()
    clock.until("nobody waits", waiting=0)
    clock.tick(0.002)
    assert "5 and 8 are tried in turns" in clock.limit.explain()


def test_a_trial_ends_when_connecting_fails() -> None:
    clock = Clock(start=8).proven()
    clock.until("are tried in turns", size=16)
    assert clock.tick(0.002, failing=True) == 8
    assert "tried" not in clock.limit.explain()


def test_new_bounds_end_a_trial() -> None:
    clock = Clock(start=8).proven()
    clock.until("are tried in turns", size=16)
    clock.limit.bounds(1, 10)
    assert clock.limit.explain() == "8 connections may be busy at once: what it may be at most or at least was changed."


def test_a_trial_that_shows_more_to_be_better_is_followed() -> None:
    """Statements take twice as long, but with 16 at once a quarter more end."""
    clock = Clock(start=8).proven()
    clock.until("it is the better of what was tried in turns", count=lambda size: 250 if size >= 16 else 200)
    assert clock.limit.value == 16


def test_a_trial_without_a_clear_end_ends_with_fewer() -> None:
    """What is done in a turn says nothing."""
    clock = Clock(start=8).proven()
    source = random.Random(1)
    clock.until("8 and 16 are tried")
    clock.until("5 and 8 are tried", count=lambda size: source.randint(100, 300))
    clock.until("statements take", count=lambda size: source.randint(100, 300))
    assert clock.limit.value < 8


def test_what_a_trial_has_found_is_believed_however_idle_the_server_seems() -> None:
    """5 do as much as 8, and with 5 statements take no longer than on a quiet server (the bottleneck is elsewhere)."""
    clock = Clock(start=8).proven()
    clock.until("tried in turns.", size=5)
    assert [clock.tick() for _ in range(10)] == [5] * 10


@pytest.mark.parametrize("low, high", [(0, 5), (6, 5), (-1, -1)])
def test_impossible_bounds(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=f"no limit lies within {low} to {high}"):
        Limit(low, high, 5)


def test_many_texts_take_bounded_memory() -> None:
    statements = Statements()
    for number in range(20_000):
        statements.record(f"select {number}", 0.001)
    assert len(statements._known) <= MOST


def test_new_texts_take_the_place_of_old_ones() -> None:
    statements = Statements()
    for number in range(MOST):
        statements.record(f"select {number}", 0.001)
    statements.window(quiet=True)
    for _ in range(10):
        statements.record("new", 0.001)
    assert statements.window(quiet=True).proven == pytest.approx(0.9), "all but the first run"
    for _ in range(10):
        statements.record("new", 0.003)
    assert statements.window(quiet=False).ratio == pytest.approx(3)


def test_texts_that_never_come_again_are_measured_together() -> None:
    statements = Statements()
    for number in range(1000):
        statements.record(f"select {number}", 0.001)
    assert statements.window(quiet=True).proven == 1
    for number in range(1000, 2000):
        statements.record(f"select {number}", 0.003)
    assert statements.window(quiet=False).ratio == pytest.approx(3, rel=0.01)


def test_another_mix_is_no_alarm() -> None:
    statements = Statements()
    for _ in range(50):
        statements.record("fast", 0.001)
        statements.record("slow", 0.1)
    statements.window(quiet=True)
    for _ in range(50):
        statements.record("slow", 0.1)
    assert statements.window(quiet=False).ratio == pytest.approx(1)


def test_times_are_clipped() -> None:
    statements = Statements()
    for _ in range(50):
        statements.record("select 1", 0.001)
    statements.window(quiet=True)
    for _ in range(50):
        statements.record("select 1", 60.0)
    assert statements.window(quiet=False).ratio == pytest.approx(CLIP)


def test_a_text_is_not_kept() -> None:
    statements = Statements()
    statements.record("select 1", 0.001)
    assert all(isinstance(key, int) for key in statements._known)


def cost() -> float:
    """Seconds of a `record`; printed by hand, asserted nowhere."""
    limit = Limit(1, 64, 5)
    limit.record("select 1", 0.001)
    record, began = limit.record, time.perf_counter()
    for _ in range(1_000_000):
        record("select 1", 0.001)
    return (time.perf_counter() - began) / 1e6
