"""The watch's counters as metrics: what has come since the last time, told every few seconds.

`db.client.operation.duration` is told by the pool. Names follow OpenTelemetry's conventions where they have any.
"""

from __future__ import annotations

from collections.abc import Callable

from galvo import Context, Metric

INTERVAL = 5.0
"""Seconds."""
COUNTERS = {
    "calls": Metric("galvo.index.queries", unit="{query}"),
    "rows": Metric("galvo.index.returned_rows", unit="{row}"),
    "errors": Metric("galvo.index.errors", unit="{query}"),
    "seconds": Metric("galvo.index.query_time", unit="s"),
    "slow": Metric("galvo.index.slow_queries", unit="{query}"),
    "plans": Metric("galvo.index.plans", unit="{plan}"),
    "plans_skipped": Metric("galvo.index.plans_skipped", unit="{plan}"),
}
GAUGES = {
    "statements": Metric("galvo.index.statements", "gauge", "{statement}"),
    "findings": Metric("galvo.index.findings", "gauge", "{finding}"),
}


class Metering:
    def __init__(self, context: Context, stats: Callable[[], dict[str, float]]) -> None:
        self._context = context
        self._stats = stats
        self._told: dict[str, float] = {}

    def record(self) -> None:
        """Tell what has come since the last call."""
        now = self._stats()
        for name, counter in COUNTERS.items():
            new = now[name] - self._told.get(name, 0)
            if new > 0:
                self._context.record(counter, new)
        for name, gauge in GAUGES.items():
            self._context.record(gauge, now[name])
        self._told = now
