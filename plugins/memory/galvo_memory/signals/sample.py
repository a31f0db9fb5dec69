"""What memory was like at one moment."""

from __future__ import annotations

import msgspec

from galvo_memory.signals.bound import Bound


class Sample(msgspec.Struct, frozen=True):
    rss: int
    """Bytes that the process has."""
    limit: int | None
    """Bytes: the smallest of the cgroups' limits, the configured one and the machine's memory; None: not known."""
    used: int
    """Bytes that count against it: the process's, the group's or the machine's."""
    psi_some10: float
    """Percent of the last 10 s in which somebody waited for memory."""
    blocks: int
    """That Python has allocated; 0: not known, it is another process."""
    at: float
    """Seconds, of the monotonic clock."""
    bound: str = ""
    """Whose limit it is."""
    fullest: Bound | None = None
    """Another bound that will be reached first, though it is larger: it is shared with others."""

    @property
    def bounds(self) -> list[Bound]:
        """The limit, if it is known, and behind it what will be reached before it."""
        own = [] if self.limit is None else [Bound(self.bound, self.limit, self.used)]
        return own if self.fullest is None else [*own, self.fullest]

    @property
    def tight(self) -> Bound:
        """The bound of which the largest share is used."""
        return self.fullest or Bound(self.bound, self.limit or 0, self.used)
