"""The numbers of several processes together."""

from __future__ import annotations

import msgspec

from galvo_monitor.cells import Snapshot


class Merged(msgspec.Struct, frozen=True):
    """Everybody's numbers; `now.since(before)` is one interval."""

    now: Snapshot
    before: Snapshot | None
    processes: int = 1
    problem: str | None = None
    """A sentence: why these are this process's own."""
