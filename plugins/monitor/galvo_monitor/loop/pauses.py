"""How long the garbage collector stops the process."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter
from typing import Any

from galvo import Metric

PAUSE = Metric("galvo.gc.pause", "histogram", "s")
MOST = 10_000
"""Pauses that are kept until somebody tells them."""


class Pauses:
    """Between `start` and `stop`; `tell` records what has been seen.

    What `gc` calls runs inside of whatever made an object, a record perhaps, so it only appends to a list.
    """

    def __init__(self, record: Callable[[Metric, float], None], *, clock: Callable[[], float] = perf_counter) -> None:
        self._record = record
        self._clock = clock
        self._began: float | None = None
        self._seen: list[float] = []

    def start(self) -> None:
        if self._called not in gc.callbacks:
            gc.callbacks.append(self._called)

    def stop(self) -> None:
        if self._called in gc.callbacks:
            gc.callbacks.remove(self._called)
        self.tell()

    def tell(self) -> None:
        """Record the pauses since the last call; in the loop's thread."""
        seen = self._seen[:]
        del self._seen[: len(seen)]
        for seconds in seen:
            self._record(PAUSE, seconds)

    def _called(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = self._clock()
        elif self._began is not None and len(self._seen) < MOST:
            self._seen.append(self._clock() - self._began)
            self._began = None
