"""OpenTelemetry: observable instruments over what is recorded anyway, read by whatever reader the application has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from galvo import Metric
from galvo_monitor.cells import Snapshot
from galvo_monitor.series import TOTAL, Aggregate, Series, Values

QUANTILES: tuple[Aggregate, ...] = ("p50", "p95", "p99", "max")
Numbers = dict[tuple[tuple[str, str], ...], float]
"""By attributes."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-/]{0,254}")
UNIT = re.compile(r"[\x20-\x7e]{0,63}")
"""What the specification allows; the SDK raises an exception for anything else."""
MOST = 1000
"""Instruments: the SDK never forgets one."""


class Bridge:
    """`Bridge(get_meter("galvo.monitor"))`, with `update` after every collection.

    OpenTelemetry has no observable histogram. Of one there are the counters `<name>.count` and `<name>.sum`, and of
    the last interval the gauges `<name>.p50`, `.p95`, `.p99` and `.max`.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._numbers: dict[str, Numbers] = {}
        self._made: set[str] = set()

    def update(self, snapshot: Snapshot, values: Values) -> None:
        """`values`: of the interval that ends with `snapshot`. Instruments are made here, never in a callback."""
        numbers: dict[str, Numbers] = {}
        for metric, number in snapshot.counters:
            self._put(numbers, metric.name, metric, number, self._meter.create_observable_counter)
        for metric, number in snapshot.gauges:
            self._put(numbers, metric.name, metric, number, self._meter.create_observable_gauge)
        for metric, buckets in snapshot.histograms:
            if TOTAL[0] in metric.attributes:
                continue
            counted = Metric(metric.name, "counter", "1", metric.attributes)
            self._put(numbers, f"{metric.name}.count", counted, buckets.count, self._meter.create_observable_counter)
            self._put(numbers, f"{metric.name}.sum", metric, buckets.sum, self._meter.create_observable_counter)
            for series, number in _quantiles(metric, values):
                called = f"{metric.name}.{series.aggregate}"
                self._put(numbers, called, metric, number, self._meter.create_observable_gauge)
        self._numbers = numbers

    def _put(
        self, numbers: dict[str, Numbers], name: str, metric: Metric, number: float, make: Callable[..., object]
    ) -> None:
        if name not in self._made:
            if len(self._made) >= MOST or not NAME.fullmatch(name):
                return
            self._made.add(name)
            make(name, callbacks=[self._observer(name)], unit=metric.unit if UNIT.fullmatch(metric.unit) else "")
        numbers.setdefault(name, {})[metric.attributes] = number

    def _observer(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(options: CallbackOptions) -> Iterable[Observation]:
            found: Mapping[tuple[tuple[str, str], ...], float] = self._numbers.get(name, {})
            return [Observation(number, dict(attributes)) for attributes, number in found.items()]

        return observe


def _quantiles(metric: Metric, values: Values) -> Iterable[tuple[Series, float]]:
    for aggregate in QUANTILES:
        series = Series.of(metric, aggregate)
        if series in values:
            yield series, values[series]
