"""The verdict on every sample, and on a leak one short look at who allocates."""

from __future__ import annotations

import logging

import anyio

from galvo_memory import verdict
from galvo_memory.signals import Sample
from galvo_memory.sizes import show
from galvo_memory.watching.surviving import Surviving

AGAIN = 3600.0
"""Seconds between two traces, and between two warnings of the same: a verdict may come and go."""


class Leaks:
    def __init__(self, log: logging.Logger, surviving: Surviving, *, interval: float, trace: float) -> None:
        """`interval`: seconds between two samples. `trace`: seconds to trace allocations for; 0: never."""
        self._log = log
        self._surviving = surviving
        self._interval = interval
        self._trace = trace
        self._asked = anyio.Event()
        self._told: dict[str, float] = {}
        self._detector = verdict.Detector(interval)
        self.lines: list[verdict.Line] = []
        """Of the last trace."""

    @property
    def verdict(self) -> verdict.Verdict:
        return self._detector.verdict()

    def add(self, sample: Sample) -> None:
        if not self._detector.add(sample):
            return
        found = self.verdict
        if found.kind == "none" or sample.at - self._told.get(found.kind, float("-inf")) < AGAIN:
            return
        self._told[found.kind] = sample.at
        grows = f"grows by {show(found.slope_bytes_per_hour)} an hour" if found.slope_bytes_per_hour else "is kept"
        self._log.warning("memory %s (%s): %s", grows, found.kind, found.evidence)
        if self._trace and found.kind != "fragmentation":
            self._asked.set()

    def inherit(self, older: Leaks) -> None:
        """Go on with what another has seen."""
        self.lines, self._told = older.lines, older._told
        if self._interval == older._interval:
            self._detector = older._detector

    async def run(self) -> None:
        """Never ends."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            with self._surviving.part("tracing allocations"):
                self.lines = await self.trace(self._trace)
                for line in self.lines:
                    self._log.warning("allocated while memory grew: %s", line)

    async def trace(self, seconds: float) -> list[verdict.Line]:
        """The lines that allocate what is kept, by one traced window."""
        return await verdict.window(seconds)
