"""The terminal that the process was started from, and whether it has just been closed."""

from __future__ import annotations

from time import monotonic

from galvo.operating import has_terminal

EVERY = 2.0
"""Seconds between two looks."""
JUST = 5.0
"""Seconds for which it "has just gone": the shell passes its SIGHUP on, and a busy machine takes its time."""


class Terminal:
    """A process that lost it long ago (`disown`) and gets a SIGHUP is asked for something by somebody."""

    def __init__(self) -> None:
        self._gone_at: float | None = None
        self.there = has_terminal()

    def look(self) -> None:
        if self.there and not has_terminal():
            self.there, self._gone_at = False, monotonic()

    def just_gone(self) -> bool:
        self.look()
        return self._gone_at is not None and monotonic() - self._gone_at < JUST
