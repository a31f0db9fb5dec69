"""The numbers of an interval that somebody wants, from two snapshots of everything."""

from __future__ import annotations

from functools import reduce

import msgspec

from galvo import Metric
from galvo_monitor.cells import Buckets, Snapshot
from galvo_monitor.panels import Kept
from galvo_monitor.series import TOTAL, Values


def values_of(keep: Kept, now: Snapshot, before: Snapshot | None) -> Values:
    """Takes no longer for the metrics that nobody wants."""
    names = keep.names
    older = None if before is None else with_totals(only(before, names))
    return keep.of(with_totals(only(now, names)).since(older))


def only(snapshot: Snapshot, names: set[str]) -> Snapshot:
    return msgspec.structs.replace(
        snapshot,
        counters=[one for one in snapshot.counters if one[0].name in names],
        gauges=[one for one in snapshot.gauges if one[0].name in names],
        histograms=[one for one in snapshot.histograms if one[0].name in names],
    )


def with_totals(snapshot: Snapshot) -> Snapshot:
    """The same with a series more for each name among the histograms, which holds all of it: how long statements take,
    failed ones included."""
    named: dict[str, list[tuple[Metric, Buckets]]] = {}
    for metric, buckets in snapshot.histograms:
        named.setdefault(metric.name, []).append((metric, buckets))
    totals = [
        (Metric(name, "histogram", parts[0][0].unit, TOTAL), reduce(Buckets.plus, (buckets for _, buckets in parts)))
        for name, parts in named.items()
    ]
    return msgspec.structs.replace(snapshot, histograms=[*snapshot.histograms, *totals])
