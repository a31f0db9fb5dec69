"""What a thread's time went into, as far as the system tells."""

from __future__ import annotations

import gc
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
    """Of the thread that makes it; any thread may read them."""

    def __init__(self) -> None:
        self._cpu = time.pthread_getcpuclockid(threading.get_ident())
        self._file = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")

    def glance(self) -> Reading:
        """Without `waiting`, which takes a file."""
        return Reading(time.monotonic(), time.clock_gettime(self._cpu), 0.0, gc.get_stats()[2]["collections"])

    def read(self) -> Reading:
        return self.glance()._replace(waiting=self.waiting())

    def waiting(self) -> float:
        """The second number of `schedstat`, in ns; 0 where the kernel does not keep it."""
        try:
            return int(self._file.read_bytes().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0


def busy(since: Reading, now: Reading, late: float) -> float:
    """Seconds for which the thread has been in one callback by its own doing.

    Who computes has used a CPU for as long. Who sleeps, or waits for a file or a lock, has not: then it is the time
    that has passed, without that in which others had the CPUs, and without `late`, the seconds in which whoever looks
    could not run either: the process was stopped, or the garbage collector ran.
    """
    passed = now.wall - since.wall - (now.waiting - since.waiting) - late
    computed = now.cpu - since.cpu if now.collections == since.collections else 0.0
    return max(passed, computed)
