"""The sum of a metric's series: how long statements take, failed ones included."""

from __future__ import annotations

from functools import reduce

import msgspec

from galvo import Metric
from galvo_monitor.cells import Buckets, Snapshot
from galvo_monitor.series import TOTAL


def with_totals(snapshot: Snapshot) -> Snapshot:
    """The same with a series more for each name among the histograms, which holds all of it."""
    named: dict[str, list[tuple[Metric, Buckets]]] = {}
    for metric, buckets in snapshot.histograms:
        named.setdefault(metric.name, []).append((metric, buckets))
    totals = [
        (Metric(name, "histogram", parts[0][0].unit, TOTAL), reduce(Buckets.plus, (buckets for _, buckets in parts)))
        for name, parts in named.items()
    ]
    return msgspec.structs.replace(snapshot, histograms=[*snapshot.histograms, *totals])
