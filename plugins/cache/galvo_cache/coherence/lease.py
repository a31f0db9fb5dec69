"""How long this process may serve what it remembers without asking anybody.

C. Gray, D. Cheriton: Leases, an efficient fault-tolerant mechanism for distributed file cache consistency, SOSP 1989.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class Lease:
    """Ends by itself; `changed` is told each new end (monotonic seconds, 0.0 is: over)."""

    def __init__(self, changed: Callable[[float], None]) -> None:
        self._changed = changed
        self.until = 0.0
        self._since = 0.0
        self.run = 0
        """Counts uninterrupted runs: while it is the same and the lease valid, it was valid all the time."""
        self.lapsed = 0

    @property
    def valid(self) -> bool:
        return monotonic() < self.until

    def mature(self, seconds: float) -> bool:
        """Valid, and for `seconds` already."""
        return self._since + seconds <= monotonic() < self.until

    def extend(self, until: float) -> None:
        if not self.valid:
            self.run += 1
            self._since = monotonic()
            self.lapsed += self.until > 0
        self.until = until
        self._changed(until)

    def end(self) -> None:
        self.until = 0.0
        self._changed(0.0)
