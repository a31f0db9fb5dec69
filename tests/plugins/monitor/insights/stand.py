"""A source of numbers, and a plugin that makes them of what a kernel's plugins record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from galvo import Metric, Plugin, hookimpl
from galvo_monitor.insights import Facts, Insights
from galvo_monitor.series import Aggregate, Series, Values
from galvo_monitor.view import Insight

NOW = 1_800_000_000.0
EVERY = 30.0


class Numbers:
    """The values of the last interval."""

    def __init__(self) -> None:
        self.values: Values = {}

    def select(self, metric: str, aggregate: str, attributes: Mapping[str, str] = {}) -> list[Series]:
        wanted = set(attributes.items())
        return [
            series
            for series in self.values
            if series.metric == metric and series.aggregate == aggregate and wanted <= set(series.attributes)
        ]

    def latest(self, series: Series) -> float | None:
        return self.values.get(series)


class Hours:
    """Insights on a clock of the test's."""

    def __init__(self, interval: float = EVERY) -> None:
        self.now, self.interval = NOW, interval
        self.numbers = Numbers()
        self.insights = Insights(interval=interval)

    def pass_by(self, values: Values, facts: Facts | None = None) -> list[Insight]:
        """One interval."""
        self.now += self.interval
        self.numbers.values = values
        return self.insights.look(self.now, self.numbers, facts or Facts())

    def sentences(self, values: Values, facts: Facts | None = None) -> list[str]:
        return [one.sentence for one in self.pass_by(values, facts)]


def series(metric: str, aggregate: Aggregate, **attributes: str) -> Series:
    return Series(metric, aggregate, tuple(sorted((name.replace("_", "."), text) for name, text in attributes.items())))


class Hearing(Plugin):
    """Exact aggregates of what was recorded."""

    name = "hearing"
    provides = ("hearing",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self._sums: dict[Metric, float] = defaultdict(float)
        self._gauges: dict[Metric, float] = {}
        self._all: dict[Metric, list[float]] = defaultdict(list)

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        if metric.kind == "counter":
            self._sums[metric] += value
        elif metric.kind == "gauge":
            self._gauges[metric] = value
        else:
            self._all[metric].append(value)

    def values(self, seconds: float) -> Values:
        """Since the last call, which was `seconds` ago."""
        found = {Series.of(metric, "rate"): total / seconds for metric, total in self._sums.items()}
        found |= {Series.of(metric, "value"): value for metric, value in self._gauges.items()}
        for metric, all_ in self._all.items():
            found |= aggregates(metric, all_, seconds)
        self._sums = defaultdict(float, dict.fromkeys(self._sums, 0.0))
        self._all = defaultdict(list, {metric: [] for metric in self._all})
        return found


def aggregates(metric: Metric, recorded: Iterable[float], seconds: float) -> Values:
    ordered = sorted(recorded)
    count = len(ordered)
    found = {Series.of(metric, "rate"): count / seconds, Series.of(metric, "busy"): sum(ordered) / seconds}
    if count:
        for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            found[Series.of(metric, name)] = ordered[min(count - 1, int(part * count))]  # type: ignore[arg-type]
    return found
