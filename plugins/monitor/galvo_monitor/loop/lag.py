"""How late the event loop calls what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from galvo import Metric

LAG = Metric("galvo.loop.lag", "histogram", "s")
EVERY = 0.5
"""Seconds between two calls."""
MOST = 600
"""Calls that are made up for after the loop stood still."""


class Lag:
    """Between `start` and `stop`, which the loop's own thread calls.

    A loop that stands still for 10 s is late for all that was due meanwhile, and not for one call only: those left out
    are recorded, too, or percentiles would tell of the good times only (coordinated omission; G. Tene).
    """

    def __init__(
        self, record: Callable[[Metric, float], None], *, also: Callable[[], None] = lambda: None, every: float = EVERY
    ) -> None:
        """`also`: called after each call; `every`: seconds."""
        self._record = record
        self._also = also
        self._every = every
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._at(loop, loop.time() + self._every)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _at(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._due = due
        self._timer = loop.call_at(due, self._called, loop)

    def _called(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        due = max(self._due, now - MOST * self._every)
        while due <= now:
            self._record(LAG, now - due)
            due += self._every
        self._at(loop, due)
        self._also()
