"""The processes that nobody uses just now."""

from __future__ import annotations

import atexit
import os
import threading
import time

from galvo_memory.pools.registry import Held, registry
from galvo_memory.processes.worker import Worker

LONGEST = 300.0
"""Seconds after which an idle one is stopped, at the next call."""


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
            if self._pid != os.getpid():  # forked: they are the parent's
                self._idle, self._pid = [], os.getpid()
            since = time.monotonic() - LONGEST
            fit = [(worker, when) for worker, when in self._idle if when >= since and worker.alive]
            unfit = [worker for worker, when in self._idle if (worker, when) not in fit]
            found = fit.pop()[0] if fit else Worker()
            self._idle = fit
        for worker in unfit:
            worker.stop()
        return found

    def give(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append((worker, time.monotonic()))

    def held(self) -> Held:
        with self._lock:
            return Held(self.name, idle=sum(worker.resident() for worker, _ in self._idle), items=len(self._idle))

    def free(self, share: float) -> int:
        """Stop this share of the idle ones, rounded up; gives the bytes that they had."""
        with self._lock:
            count = -int(-len(self._idle) * share // 1)
            going, self._idle = self._idle[:count], self._idle[count:]
        freed = sum(worker.resident() for worker, _ in going)
        for worker, _ in going:
            worker.stop()
        return freed

    def close(self) -> None:
        self.free(1)


WORKERS = Workers()
atexit.register(WORKERS.close)
