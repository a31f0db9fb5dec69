"""What was recorded, as Prometheus wants it: families of series, each with labels of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

from galvo import Metric
from galvo_monitor.cells import Buckets, Snapshot
from galvo_monitor.names import PARTS, labels, name, text
from galvo_monitor.panels.layout import TOTAL

BOUNDS = {
    "s": (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "By": (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 16777216.0, 268435456.0),
}
"""Upper bounds of buckets by unit. Those of seconds have OpenTelemetry's, and finer ones for what a cache answers."""
OTHERWISE = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 10000.0)
MARK = TOTAL[0]
"""Sums are not exported: whoever adds up would have everything twice."""

Labels = dict[str, str]
T = TypeVar("T")
Kind = Literal["counter", "gauge", "histogram"]


class Family(NamedTuple):
    name: str
    """As in `# TYPE`: a counter's ends in _total."""
    kind: Kind
    help: str
    """OpenTelemetry's name and unit."""
    bounds: tuple[float, ...]
    """Of a histogram's buckets, without infinity."""
    numbers: list[tuple[Labels, float]]
    histograms: list[tuple[Labels, Buckets]]


class Families:
    """Two series never have the same name and labels, which would cost Prometheus the whole scrape."""

    def __init__(self) -> None:
        self.left_out = 0
        """Series whose names or labels another one already has in Prometheus' alphabet."""

    def of(self, snapshot: Snapshot) -> Iterator[Family]:
        """Sorted by name."""
        found: dict[str, Family] = {}
        metrics: dict[str, Metric] = {}
        taken: dict[str, str] = {}
        for metric, number in (*snapshot.counters, *snapshot.gauges):
            if family := self._family(metric, found, metrics, taken):
                family.numbers.append((labels(metric.attributes), number))
        for metric, buckets in snapshot.histograms:
            if MARK not in metric.attributes and (family := self._family(metric, found, metrics, taken)):
                family.histograms.append((labels(metric.attributes), buckets))
        for key in sorted(found):
            family = found[key]
            yield family._replace(
                numbers=list(self._distinct(family.numbers)), histograms=list(self._distinct(family.histograms))
            )

    def _family(
        self, metric: Metric, found: dict[str, Family], metrics: dict[str, Metric], taken: dict[str, str]
    ) -> Family | None:
        """None when another metric has its name, or one of its parts' names."""
        called = name(metric)
        if called in found:
            first = metrics[called]
            same = (first.name, first.kind, first.unit) == (metric.name, metric.kind, metric.unit)
            self.left_out += not same
            return found[called] if same else None
        parts = [called, *(f"{called}{part}" for part in PARTS)] if metric.kind == "histogram" else [called]
        if any(part in taken for part in parts):
            self.left_out += 1
            return None
        taken.update(dict.fromkeys(parts, called))
        unit = "" if metric.unit in ("", "1") else f" in {metric.unit}"
        bounds = BOUNDS.get(metric.unit, OTHERWISE) if metric.kind == "histogram" else ()
        metrics[called] = metric
        found[called] = Family(called, metric.kind, text(f"{metric.name}{unit}"), bounds, [], [])
        return found[called]

    def _distinct(self, series: Iterable[tuple[Labels, T]]) -> Iterator[tuple[Labels, T]]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        for given, what in series:
            key = tuple(given.items())
            if key in seen:
                self.left_out += 1
                continue
            seen.add(key)
            yield given, what
