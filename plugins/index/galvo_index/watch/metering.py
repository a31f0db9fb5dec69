"""The watch's counters as metrics.

`db.client.operation.duration` is told by the pool. Names follow OpenTelemetry's conventions where they have any.
"""

from __future__ import annotations

from collections.abc import Callable

from galvo import Context, Metering, Metric

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


def metering(context: Context, stats: Callable[[], dict[str, float]]) -> Metering:
    """Records the watch's counters."""
    return Metering(context.record, stats, COUNTERS, GAUGES)
