"""The processes that nobody uses just now."""

from __future__ import annotations

import atexit
import os
import threading
import time

from galvo_memory.pools.registry import Held, registry
from galvo_memory.processes.worker import Worker

LONGEST = 300.0
"""Seconds after which an idle one is stopped, at the next call or sweep."""


class Workers:
    """Last in, first out, so that what is too many grows old. Any thread, any event loop."""

    name = "run_limited"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[Worker, float]] = []
        self._pid = os.getpid()
        registry.add(self)

    def take(self) -> Worker:
        """An idle one, or one that starts with its first call."""
        with self._lock:
            unfit = self._sort_out()
            found = self._idle.pop()[0] if self._idle else Worker()
        _end(unfit)
        return found

    def _sort_out(self) -> list[Worker]:
        """Leaves those that can be used; gives the others."""
        self._disown()
        since = time.monotonic() - LONGEST
        fit = [(worker, when) for worker, when in self._idle if when >= since and worker.alive]
        unfit = [worker for worker, when in self._idle if (worker, when) not in fit]
        self._idle = fit
        return unfit

    def _disown(self) -> None:
        if self._pid != os.getpid():  # forked: they are the parent's
            self._idle, self._pid = [], os.getpid()

    def give(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append((worker, time.monotonic()))

    def sweep(self) -> None:
        """Stop those that have been idle for long."""
        with self._lock:
            unfit = self._sort_out()
        _end(unfit)

    def held(self) -> Held:
        with self._lock:
            return Held(self.name, idle=sum(worker.resident() for worker, _ in self._idle), items=len(self._idle))

    def free(self, share: float) -> int:
        """Kill this share of the idle ones, rounded up; gives the bytes that they had."""
        going = self._leave(share)
        freed = sum(worker.resident() for worker in going)
        _end(going)
        return freed

    def _leave(self, share: float) -> list[Worker]:
        with self._lock:
            self._disown()
            count = -int(-len(self._idle) * share // 1)
            going, self._idle = self._idle[:count], self._idle[count:]
        return [worker for worker, _ in going]

    def close(self) -> None:
        """Stop all idle ones."""
        _stop(self._leave(1))


def _end(workers: list[Worker]) -> None:
    """Kill them now; a process is gone only after a while, and an event loop cannot wait for that."""
    for worker in workers:
        worker.kill()
    if workers:
        threading.Thread(target=_stop, args=(workers,), name="run_limited", daemon=True).start()


def _stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.stop()


WORKERS = Workers()
atexit.register(WORKERS.close)
