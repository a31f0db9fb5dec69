"""What was recorded, as Prometheus wants it: families of series, each with labels of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

from galvo import Metric
from galvo_monitor.cells import Buckets, Snapshot
from galvo_monitor.names import PARTS, labels, name, text
from galvo_monitor.series import TOTAL

BOUNDS = {
    "s": (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "By": (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 16777216.0, 268435456.0),
}
"""Upper bounds of buckets by unit. Those of seconds have OpenTelemetry's, and finer ones for what a cache answers."""
OTHERWISE = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 10000.0)
MARK = TOTAL[0]
"""Sums are not exported: whoever adds up would have everything twice."""

Labels = dict[str, str]
Kind = Literal["counter", "gauge", "histogram"]
T = TypeVar("T")


class Family(NamedTuple):
    """Its series are the snapshot's own tuples: new ones by the thousand would call the garbage collector."""

    name: str
    """As in `# TYPE`: a counter's ends in _total."""
    metric: Metric
    """The first of them."""
    bounds: tuple[float, ...]
    """Of a histogram's buckets, without infinity."""
    numbers: list[tuple[Metric, float]]
    histograms: list[tuple[Metric, Buckets]]

    @property
    def kind(self) -> Kind:
        return self.metric.kind

    @property
    def help(self) -> str:
        """OpenTelemetry's name and unit."""
        unit = "" if self.metric.unit in ("", "1") else f" in {self.metric.unit}"
        return text(f"{self.metric.name}{unit}")


class Families:
    """Two series never have the same name and labels, which would cost Prometheus the whole scrape."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.left_out = 0
        """Series whose names or labels another one already has in Prometheus' alphabet."""
        self._found: dict[str, Family] = {}
        self._parts: set[str] = set()
        for one in (*snapshot.counters, *snapshot.gauges):
            if family := self._family(one[0]):
                family.numbers.append(one)
        for other in snapshot.histograms:
            if MARK not in other[0].attributes and (family := self._family(other[0])):
                family.histograms.append(other)

    def __iter__(self) -> Iterator[Family]:
        """Sorted by name."""
        return (self._found[name] for name in sorted(self._found))

    def labelled(self, series: Iterable[tuple[Metric, T]]) -> Iterator[tuple[Labels, T]]:
        """Those of one family, with the labels of each."""
        seen: set[str] = set()
        for metric, what in series:
            made = labels(metric.attributes)
            key = "\0".join((*made, *made.values()))
            if key in seen:
                self.left_out += 1
                continue
            seen.add(key)
            yield made, what

    def _family(self, metric: Metric) -> Family | None:
        """None when another metric has its name, or one of its parts' names."""
        called = name(metric)
        if family := self._found.get(called):
            first = family.metric
            same = (first.name, first.kind, first.unit) == (metric.name, metric.kind, metric.unit)
            self.left_out += not same
            return family if same else None
        histogram = metric.kind == "histogram"
        parts = {called, *(f"{called}{part}" for part in PARTS if histogram)}
        if parts & self._parts:
            self.left_out += 1
            return None
        self._parts |= parts
        bounds = BOUNDS.get(metric.unit, OTHERWISE) if histogram else ()
        self._found[called] = Family(called, metric, bounds, [], [])
        return self._found[called]
