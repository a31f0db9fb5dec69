"""The verdict from time to time, and on a leak one short look at who allocates."""

from __future__ import annotations

import logging

import anyio

from galvo_memory import verdict
from galvo_memory.signals import Sample
from galvo_memory.sizes import show
from galvo_memory.watching.surviving import Surviving

EVERY = 30.0
"""Seconds between two verdicts."""
AGAIN = 3600.0
"""Seconds between two traces, and between two warnings of the same: a verdict may come and go."""


class Leaks:
    def __init__(self, log: logging.Logger, surviving: Surviving, *, trace: float) -> None:
        """`trace`: seconds to trace allocations for; 0: never."""
        self._log = log
        self._surviving = surviving
        self._trace = trace
        self._asked = anyio.Event()
        self._judged = float("-inf")
        self._told: dict[str, float] = {}
        self.detector = verdict.Detector()
        self.verdict: verdict.Verdict | None = None
        """None before the first."""
        self.lines: list[verdict.Line] = []
        """Of the last trace."""

    def add(self, sample: Sample) -> None:
        self.detector.add(sample)
        if sample.at - self._judged < EVERY:
            return
        self._judged = sample.at
        self.verdict = found = self.detector.verdict()
        if found.kind == "none" or sample.at - self._told.get(found.kind, float("-inf")) < AGAIN:
            return
        self._told[found.kind] = sample.at
        self._log.warning(
            "memory grows by %s an hour, and it looks like a leak (%s): %s",
            show(found.slope_bytes_per_hour), found.kind, found.evidence,
        )  # fmt: skip
        if self._trace:
            self._asked.set()

    def inherit(self, older: Leaks) -> None:
        """Go on with what another has seen."""
        self.detector, self.verdict, self.lines = older.detector, older.verdict, older.lines
        self._told = older._told

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
