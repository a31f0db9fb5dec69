"""One limit, and what counts against it."""

from __future__ import annotations

import msgspec


class Bound(msgspec.Struct, frozen=True):
    name: str
    """"machine", "[memory] limit", or the cgroup's folder."""
    limit: int
    """Bytes."""
    used: int
    """Bytes that cannot be taken back at once: page cache that nobody needs does not count."""

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit > 0 else 0.0
