"""What one process tells the others, and what those that have left it have left behind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from galvo_monitor.cells import Buckets, Snapshot, merged

REMEMBERED: Final = 256
"""Processes that have left, and may come back after they were thought dead."""


class Record(msgspec.Struct, frozen=True):
    """Of one process."""

    number: int
    """Counts what it tells: the higher is the newer."""
    now: Snapshot
    before: Snapshot | None
    """One interval ago, by its own clock: so rates need nobody's memory."""


class Departed(msgspec.Struct, frozen=True):
    """The sums of those that have left."""

    version: int = 0
    folded: dict[str, int] = {}
    """Whose, oldest first, and the number of the record that was their last."""
    total: Snapshot | None = None

    def with_(self, process: str, record: Record) -> Departed:
        """Fold in the last that `process` has told."""
        folded = {**self.folded, process: record.number}
        for oldest in [*folded][: max(0, len(folded) - REMEMBERED)]:
            del folded[oldest]
        parts = [counted(part) for part in (self.total, record.now) if part is not None]
        return Departed(self.version + 1, folded, merged(parts))


def counted(snapshot: Snapshot) -> Snapshot:
    """What adds up over time: a gauge is nobody's any more when its process has left."""
    return msgspec.structs.replace(snapshot, gauges=[])


def less(snapshot: Snapshot, part: Snapshot | None) -> Snapshot:
    """Without what `part`, of the same process, has counted: nothing is left when it is the newer one."""
    if part is None:
        return snapshot
    counters = dict(part.counters)
    buckets = dict(part.histograms)
    return msgspec.structs.replace(
        snapshot,
        counters=[(metric, max(0.0, value - counters.get(metric, 0))) for metric, value in snapshot.counters],
        histograms=[(metric, _minus(value, buckets.get(metric))) for metric, value in snapshot.histograms],
    )


def together(parts: Iterable[Snapshot | None]) -> Snapshot:
    """The first of them says when."""
    return merged([part for part in parts if part is not None])


def _minus(buckets: Buckets, part: Buckets | None) -> Buckets:
    if part is None:
        return buckets
    return buckets.minus(part) if buckets.count > part.count else Buckets()
