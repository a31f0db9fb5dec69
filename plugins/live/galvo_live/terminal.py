"""The terminal that the process was started from, and whether it has just been closed."""

from __future__ import annotations

import os
from time import monotonic

EVERY = 2.0
"""Seconds between two looks."""
JUST = 5.0
"""Seconds for which it "has just gone": the shell passes its SIGHUP on, and a busy machine takes its time."""


class Terminal:
    """A process that lost it long ago (`disown`) and gets a SIGHUP is asked for something by somebody."""

    def __init__(self) -> None:
        self._gone_at: float | None = None
        self.there = _there()

    def look(self) -> None:
        if self.there and not _there():
            self.there, self._gone_at = False, monotonic()

    def just_gone(self) -> bool:
        self.look()
        return self._gone_at is not None and monotonic() - self._gone_at < JUST


def _there() -> bool:
    """There is a controlling terminal: when it hangs up, nobody of its session has one any more (tty(4), ENXIO)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError:
        return False
    return True
