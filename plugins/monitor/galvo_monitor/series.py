"""The name of one line of numbers over time."""

from __future__ import annotations

from typing import Literal

import msgspec

from galvo import Metric

Aggregate = Literal["value", "rate", "mean", "p50", "p95", "p99", "max", "busy"]
"""Of an interval: "value" is a gauge's last; "rate" is of counts, a second; "busy" is a histogram's sum, a second;
percentiles, "mean" and "max" are of what a histogram has recorded in it."""
OF: dict[str, tuple[Aggregate, ...]] = {
    "counter": ("rate",),
    "gauge": ("value",),
    "histogram": ("rate", "busy", "mean", "p50", "p95", "p99", "max"),
}
"""What each kind of metric has."""

TOTAL = (("total", "true"),)
"""The attributes of a metric's sum over all its series, which sets it apart from them."""


class Series(msgspec.Struct, frozen=True, gc=False):
    """`str()` is its name in files, pages and databases: `galvo.cache.hits{galvo.cache.level="l1"} rate`."""

    # gc=False: text only, and ten thousand new ones would call the garbage collector.

    metric: str
    aggregate: Aggregate
    attributes: tuple[tuple[str, str], ...] = ()
    """Sorted by name."""

    @classmethod
    def of(cls, metric: Metric, aggregate: Aggregate) -> Series:
        return cls(metric.name, aggregate, tuple(sorted(metric.attributes)))

    def __str__(self) -> str:
        labels = ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in self.attributes)
        return f"{self.metric}{{{labels}}} {self.aggregate}" if labels else f"{self.metric} {self.aggregate}"


Values = dict[Series, float]
"""Of one interval."""
