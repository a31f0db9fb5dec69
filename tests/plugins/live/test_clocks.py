"""What counts as blocking, by the clocks."""

from __future__ import annotations

import asyncio
import sys
from time import get_clock_info, monotonic

import pytest

from galvo_live.watchdog.clocks import Reading, busy, computed, keeping
from galvo_live.watchdog.stack import turn

BEGIN = Reading(100.0, 7.0, 3.0, 40)


@pytest.mark.parametrize(
    "what, wall, cpu, waiting, collections, late, seconds",
    [
        ("it sleeps, or waits for a file or a lock", 2, 0, 0, 0, 0, 2),
        ("it computes", 2, 2, 0, 0, 0, 2),
        ("it computes, and others have the CPUs half of the time", 2, 1, 1, 0, 0, 1),
        ("it keeps Python's lock: whoever looks is late, too", 2, 2, 0, 0, 2, 2),
        ("the process was stopped (SIGSTOP), or the machine slept", 9, 0, 0, 0, 9, 0),
        ("it waits for a CPU all the time", 2, 0, 2, 0, 0, 0),
        ("nobody gets a CPU", 2, 0.01, 1.9, 0, 1.9, 0.01),
        ("the garbage collector runs", 2, 2, 0, 1, 2, 0),
        ("the garbage collector runs while it sleeps on", 5, 1, 0, 1, 1, 4),
    ],
)
def test_only_what_the_thread_does_itself_counts(
    what: str, wall: float, cpu: float, waiting: float, collections: int, late: float, seconds: float
) -> None:
    now = Reading(BEGIN.wall + wall, BEGIN.cpu + cpu, BEGIN.waiting + waiting, BEGIN.collections + collections)
    assert busy(BEGIN, now, late) == pytest.approx(seconds), what


@pytest.mark.parametrize(
    "what, locked, began, seconds",
    [
        ("one callback all the time", 2, 0, 2),
        ("who looks got no CPU, and the loop ran many callbacks in many turns", 0.005, 1.99, 0.01),
        ("after a long time of short callbacks one keeps the lock", 0.5, 1.4, 0.6),
        ("a loop that does not tell its turns: what it did while who looks had no CPU does not count", 0.5, None, 0.5),
        ("its turn began before somebody looked the last time", 2, -3, 2),
        ("its clock is another one", 2, 1e9, -1e9),
    ],
)
def test_since_when_the_lock_was_kept(what: str, locked: float, began: float | None, seconds: float) -> None:
    now = BEGIN._replace(wall=BEGIN.wall + 2, cpu=BEGIN.cpu + 2)
    since = keeping(BEGIN, now, locked, None if began is None else BEGIN.wall + began)
    assert computed(since, now) == pytest.approx(seconds, rel=0.01), what


@pytest.mark.anyio
async def test_when_the_loop_began_its_turn_is_in_a_variable_of_it() -> None:
    before = monotonic()
    await asyncio.sleep(0)  # the next one
    began = turn(sys._getframe())
    assert began is not None
    assert before <= began <= monotonic() + get_clock_info("monotonic").resolution
