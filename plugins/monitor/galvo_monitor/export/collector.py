"""For an application that has a registry of prometheus_client already: `REGISTRY.register(Collector(snapshot))`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector as Base

from galvo_monitor.cells import Snapshot
from galvo_monitor.export.exposition import shown
from galvo_monitor.export.families import Families, Family


class Collector(Base):
    """Rendering it is the registry's business: `Metrics` is ten times as fast and lets others run meanwhile."""

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        families = Families(self._read())
        for family in families:
            yield _histogram(families, family) if family.kind == "histogram" else _numbers(families, family)

    def describe(self) -> list[Metric]:
        """Nothing is known beforehand."""
        return []


def _numbers(families: Families, family: Family) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    made = kind(family.name, family.help)
    made.samples = []
    for labels, number in families.labelled(family.numbers):
        made.add_sample(family.name, labels, number)
    return made


def _histogram(families: Families, family: Family) -> Metric:
    made = HistogramMetricFamily(family.name, family.help)
    for labels, buckets in families.labelled(family.histograms):
        for bound, below in zip(family.bounds, buckets.cumulated(family.bounds), strict=True):
            made.add_sample(f"{family.name}_bucket", {**labels, "le": shown(bound)}, below)
        made.add_sample(f"{family.name}_bucket", {**labels, "le": "+Inf"}, buckets.count)
        made.add_sample(f"{family.name}_sum", labels, buckets.sum)
        made.add_sample(f"{family.name}_count", labels, buckets.count)
    return made
