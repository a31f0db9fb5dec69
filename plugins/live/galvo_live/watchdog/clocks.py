"""What a thread's time went into, as far as the system tells."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from typing import NamedTuple


class Reading(NamedTuple):
    """Of the clocks, in seconds; `collections` counts full garbage collections."""

    wall: float
    cpu: float
    waiting: float
    """For a CPU, while others had them."""
    collections: int


class Clocks:
    """Of the thread that makes it; any thread may read them, until they are closed."""

    def __init__(self) -> None:
        self._cpu = time.pthread_getcpuclockid(threading.get_ident())
        self._folder = Path(f"/proc/self/task/{threading.get_native_id()}")
        try:
            self._file = os.open(self._folder / "schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def glance(self) -> Reading:
        """Without `waiting`, which takes a file."""
        return Reading(time.monotonic(), time.clock_gettime(self._cpu), 0.0, gc.get_stats()[2]["collections"])

    def read(self) -> Reading:
        return self.glance()._replace(waiting=self.waiting())

    def waiting(self) -> float:
        """The second number of `schedstat`, in ns; 0 where the kernel does not keep it. It grows as a wait ends."""
        try:
            return int(os.pread(self._file, 64, 0).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def runnable(self) -> bool:
        """The thread has a CPU, or waits for one; False where the system does not tell."""
        try:
            return (self._folder / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"R"
        except (OSError, IndexError):
            return False

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def busy(since: Reading, now: Reading, late: float) -> float:
    """Seconds for which the thread has been in one callback by its own doing.

    Who computes has used a CPU for as long. Who sleeps, or waits for a file or a lock, has not: then it is the time
    that has passed, without that in which others had the CPUs, and without `late`, the seconds in which whoever looks
    could not run either: the process was stopped, or the garbage collector ran.
    """
    return max(now.wall - since.wall - (now.waiting - since.waiting) - late, computed(since, now))


def computed(since: Reading, now: Reading) -> float:
    """Seconds for which the thread has used a CPU; none when that may have been the garbage collector."""
    return now.cpu - since.cpu if now.collections == since.collections else 0.0


def keeping(before: Reading, now: Reading, locked: float, turn: float | None) -> Reading:
    """Since when the loop's thread can have kept Python's lock at most, when somebody looked `before`, and next `now`.

    Who looks was kept for `locked` seconds, without those in which he waited for a CPU: in these the loop may have run
    any number of short callbacks. So not before it began its `turn`; where that is not known, not before `locked`.
    """
    passed = max(0.0, (now.wall - locked if turn is None else turn) - before.wall)
    return Reading(before.wall + passed, before.cpu + passed, now.waiting, before.collections)
