"""The verdict on every sample, and on a leak one short look at who allocates."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import anyio

from galvo.sizes import show
from galvo_local import Surviving
from galvo_memory.signals import Sample
from galvo_memory.verdict import Detector, Finding, Verdict, investigate
from galvo_memory.verdict.detector import Kind

AGAIN = 3600.0
"""Seconds between two traces, and between two warnings of the same: a verdict may come and go."""
GLANCE = 0.1
"""Seconds between two looks whether a trace has ended."""


class Leaks:
    def __init__(
        self,
        log: logging.Logger,
        rss: Callable[[], int],
        surviving: Surviving,
        *,
        interval: float,
        trace: float,
    ) -> None:
        """`interval`: seconds between two samples. `trace`: seconds to trace allocations for; 0: never."""
        self._log = log
        self._rss = rss
        self._surviving = surviving
        self._interval = interval
        self._trace = trace
        self._asked = anyio.Event()
        self._told: dict[str, float] = {}
        self._detector = Detector(interval)
        self.found: list[str] = []
        """By the last trace."""

    @property
    def verdict(self) -> Verdict:
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
        self.found, self._told = older.found, older._told
        if self._interval == older._interval:
            self._detector = older._detector

    async def run(self) -> None:
        """Never ends."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            with self._surviving.part("tracing allocations"):
                self.found = (await self.trace(self._trace)).sentences()
                for sentence in self.found:
                    self._log.warning("while memory grew: %s", sentence)

    async def trace(self, seconds: float, *, types: bool = False) -> Finding:
        """Who allocates what is kept, by one traced window; `types` are counted, too. Raises WindowRefused."""
        kind, loop = _named(self.verdict.kind), _loop()
        looked = _Thread(lambda: investigate(kind, self._rss, seconds, loop, types))
        looked.start()
        while looked.is_alive():  # noqa: ASYNC110  # no loop's own threads: these may end with the process
            await anyio.sleep(GLANCE)
        return looked.finding()


class _Thread(threading.Thread):
    """Nobody waits for it at the end of the process."""

    def __init__(self, look: Callable[[], Finding]) -> None:
        super().__init__(name="galvo memory trace", daemon=True)
        self._look = look
        self._found: Finding | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._found = self._look()
        except Exception as error:  # noqa: BLE001  # raised where somebody waits for it
            self._error = error

    def finding(self) -> Finding:
        """Once it has ended. Raises what it raised."""
        if self._found is None:
            raise self._error or RuntimeError("it has not ended")
        return self._found


def _named(kind: Kind) -> Kind:
    """By hand it may be asked before there is a verdict."""
    return "python" if kind == "none" else kind


def _loop() -> asyncio.AbstractEventLoop | None:
    """None under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
