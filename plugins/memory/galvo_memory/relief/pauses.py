"""How long the garbage collector stops the process, seen by `gc.callbacks`."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec

ALL = 2
"""The oldest generation, and with it all younger ones."""


class Pauses(msgspec.Struct):
    """Of one stretch of time."""

    count: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    allocated: int = 0
    """Objects, about, that were made and lived until the next collection: the first threshold once for each."""

    @property
    def per_object(self) -> float:
        """Seconds of pause for each object: says the same at any load."""
        return self.seconds / self.allocated if self.allocated else 0.0


class Watch:
    """Between `start` and `stop`, measures the collections that begin by themselves."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._began: float | None = None
        self._asked = False
        self._on = False
        self.pauses = Pauses()

    def start(self) -> None:
        self._on = True
        gc.callbacks.append(self._called)

    def stop(self) -> None:
        if self._on:
            self._on = False
            gc.callbacks.remove(self._called)

    def again(self) -> Pauses:
        """What was measured until now; a new stretch begins."""
        found, self.pauses = self.pauses, Pauses()
        return found

    def collect(self, generation: int = ALL) -> int:
        """`gc.collect`, not counted among the pauses; gives the objects that were found."""
        self._asked = True
        try:
            return gc.collect(generation)
        finally:
            self._asked = False

    def _called(self, phase: str, info: dict[str, Any]) -> None:
        # Runs inside of the collector: it makes no object that is tracked, and raises nothing.
        if self._asked:
            return
        if phase == "start":
            self._began = self._clock()
        elif self._began is not None:
            seconds = self._clock() - self._began
            self._began = None
            pauses = self.pauses
            pauses.count += 1
            pauses.seconds += seconds
            pauses.allocated += gc.get_threshold()[0]
            if seconds > pauses.longest:
                pauses.longest = seconds
