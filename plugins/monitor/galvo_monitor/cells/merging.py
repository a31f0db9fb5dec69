"""The numbers of several processes as one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from statistics import fmean

from galvo import Metric
from galvo_monitor.cells.buckets import Buckets
from galvo_monitor.cells.snapshot import Snapshot

SHARED = ("system.", "galvo.database.", "galvo.tasks.depth", "galvo.tasks.dead", "galvo.memory.")
"""Names of gauges begin so that each process tells of the same thing, which is not there twice: the greatest counts."""
SHARES = ("1", "%")
"""Units of which the mean counts, whatever each is a share of. Of ages and durations ("s") it is the greatest; of all
else (bytes, connections, tasks at once) the sum."""
LEAST = "galvo.disk.time_to_full"
"""Processes may write to disks of their own, and the first that is full counts."""


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """All of them; the first one says when. Raises ValueError when there is none."""
    every = list(snapshots)
    if not every:
        raise ValueError("nothing to merge: at least one snapshot is needed")
    counters: dict[Metric, float] = {}
    gauges: dict[Metric, list[float]] = {}
    histograms: dict[Metric, list[Buckets]] = {}
    for snapshot in every:
        for metric, value in snapshot.counters:
            counters[metric] = counters.get(metric, 0.0) + value
        for metric, value in snapshot.gauges:
            gauges.setdefault(metric, []).append(value)
        for metric, buckets in snapshot.histograms:
            histograms.setdefault(metric, []).append(buckets)
    return Snapshot(
        every[0].at,
        list(counters.items()),
        [(metric, _together(metric, values)) for metric, values in gauges.items()],
        [(metric, reduce(Buckets.plus, parts)) for metric, parts in histograms.items()],
        every[0].steady,
    )


def _together(metric: Metric, values: list[float]) -> float:
    if metric.name == LEAST:
        return min(values)
    if metric.name.startswith(SHARED) or metric.unit == "s":
        return max(values)
    return fmean(values) if metric.unit in SHARES else sum(values)
