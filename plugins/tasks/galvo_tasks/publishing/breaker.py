"""A circuit breaker: while the broker is away, asking it fails at once.

Nygard, Release It!, 2007: closed, open, half open.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES = 3
"""In a row, that open it."""
PAUSE = 1.0
"""Seconds after which one publish is let through to see."""


class Breaker:
    """Any thread may use it; `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._since = 0.0
        self._next = 0.0
        self.why = ""

    def refusal(self) -> str:
        """Why nothing is sent now; "": it may be tried. Who is let through tells the outcome."""
        if self._failures < FAILURES:
            return ""
        with self._lock:
            now = self._clock()
            if now >= self._next:
                self._next = now + PAUSE
                return ""
            ago = now - self._since
        at = time.strftime("%H:%M:%S", time.localtime(time.time() - ago))
        return f"the broker is away since {at} ({ago:.0f} s): {self.why}"

    def failed(self, why: str) -> None:
        with self._lock:
            now = self._clock()
            if not self._failures:
                self._since = now
            self._failures += 1
            self._next = now + PAUSE
            self.why = why

    def succeeded(self) -> None:
        if self._failures:
            with self._lock:
                self._failures = 0
