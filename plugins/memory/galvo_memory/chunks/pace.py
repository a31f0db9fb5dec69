"""How many rows to ask for next, so that they fit."""

from __future__ import annotations

FIRST = 32
"""Rows of the first batch: nothing is known of their size yet."""
MOST = 2000
"""Rows of a batch: more make nothing faster, and keep the event loop busy for longer."""
GROWTH = 4
"""Times as many rows as before, at most: rows that have been small so far may become large."""
PARTS = 4
"""Batches that make a chunk, so that a batch of larger rows than expected does little harm."""


class Pace:
    """Follows the measured size of rows: at once when they get larger, by halves when they get smaller."""

    def __init__(self, chunk: int) -> None:
        """`chunk` is in bytes."""
        self._part = max(1, chunk // PARTS)
        self._expected = 0.0
        self.rows = FIRST
        """To ask for next."""

    def saw(self, rows: int, size: int) -> None:
        """So many rows had so many bytes."""
        mean = size / rows
        self._expected = max(mean, (self._expected + mean) / 2)
        fit = int(self._part / self._expected)
        self.rows = max(1, min(fit, MOST, self.rows * GROWTH))
