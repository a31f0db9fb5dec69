"""Why an answer that is asked for again is gone: a small table of fingerprints, where a newer one takes the place.

It is for the counters only. What it has forgotten counts as never read.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Literal

Gone = Literal["cold", "evicted", "invalidated"]
SIZE = 8192
REASONS: tuple[Gone, ...] = ("cold", "evicted", "invalidated")


class Ghosts:
    """72 KiB, whatever the number of answers that go."""

    def __init__(self) -> None:
        self._marks = array("q", bytes(8 * SIZE))
        self._reasons = bytearray(SIZE)

    def note(self, home: object, key: Hashable, reason: Gone) -> None:
        """The answer with `key` in `home` goes, or with "cold" comes back."""
        mark = hash((id(home), key))
        self._marks[mark % SIZE] = mark
        self._reasons[mark % SIZE] = REASONS.index(reason)

    def why(self, home: object, key: Hashable) -> Gone:
        mark = hash((id(home), key))
        return REASONS[self._reasons[mark % SIZE]] if self._marks[mark % SIZE] == mark else "cold"
