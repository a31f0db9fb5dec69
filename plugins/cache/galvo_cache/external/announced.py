"""Which writes this process knows of already, and for how long their traces may still turn up."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Final

GRACE: Final = 12.0
"""Seconds: a backend that went idle reports its statistics after 10 at the latest (pgstat.c: PGSTAT_IDLE_INTERVAL)."""


class Announced:
    """The time of the last write per table that went through galvo.

    Note a write when it begins and when it has ended: its statistics come after its end, its notification may
    come before.
    """

    __slots__ = ("_at", "_everything", "_grace")

    def __init__(self, grace: float = GRACE) -> None:
        """`grace`: seconds for which a write is remembered."""
        self._grace = grace
        self._at: dict[int, float] = {}
        self._everything = float("-inf")

    def note(self, tables: Iterable[int] | None) -> None:
        """A write to `tables` (None: to anything) begins or has ended."""
        now = monotonic()
        if tables is None:
            self._everything = now
            self._at.clear()
        else:
            for table in tables:
                self._at[table] = now

    def __call__(self, table: int) -> bool:
        """Whether a write to `table` was noted within the grace."""
        return monotonic() - max(self._at.get(table, float("-inf")), self._everything) <= self._grace
