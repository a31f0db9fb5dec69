"""What counts as blocking, by the clocks."""

from __future__ import annotations

import pytest

from galvo_live.watchdog.clocks import Reading, busy

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
