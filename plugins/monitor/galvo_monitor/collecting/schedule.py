"""When to collect: on time, without drift, and more often while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import anyio

LIVE = 2.0
"""Seconds between two glances while somebody looks."""
WATCHED = 10.0
"""Seconds for which one question counts as looking."""


class Schedule:
    """Late after a pause of the whole process, it does not catch up."""

    def __init__(self, interval: float, *, clock: Callable[[], float] = monotonic) -> None:
        """`interval`: seconds."""
        self._interval = interval
        self._clock = clock
        self._due = clock()
        self._until = float("-inf")
        """Somebody looks until then."""
        self._asked = anyio.Event()

    def watched(self) -> None:
        """Somebody looks now."""
        if self._clock() > self._until:
            self._asked.set()
        self._until = self._clock() + WATCHED

    async def next(self) -> bool:
        """Wait until it is time; whether to collect (True), or only to glance."""
        while True:
            now = self._clock()
            if now >= self._due:
                due = self._due + self._interval
                self._due = due if due > now else now + self._interval
                return True
            left = self._due - now
            live = now <= self._until and left > LIVE
            self._asked = anyio.Event()
            with anyio.move_on_after(LIVE if live else left):
                await self._asked.wait()
                return False
            if live:
                return False
