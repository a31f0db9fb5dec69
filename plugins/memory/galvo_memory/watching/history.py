"""How much memory there was before: the lowest of each minute, for a few hours."""

from __future__ import annotations

from collections import deque

import msgspec

from galvo_memory.signals import Sample

MINUTE = 60.0
KEPT = 240
"""Minutes."""


class Low(msgspec.Struct):
    at: float
    """Seconds of the monotonic clock: when the minute began."""
    rss: int
    """Bytes: the least of it, which what comes and goes does not hide."""


class History:
    def __init__(self) -> None:
        self._lows: deque[Low] = deque(maxlen=KEPT)

    def add(self, sample: Sample) -> None:
        last = self._lows[-1] if self._lows else None
        if last is None or not 0 <= sample.at - last.at < MINUTE:
            self._lows.append(Low(sample.at, sample.rss))
        else:
            last.rss = min(last.rss, sample.rss)

    def lows(self, now: float) -> list[tuple[float, int]]:
        """Seconds ago and bytes, oldest first."""
        return [(now - low.at, low.rss) for low in self._lows]
