"""What insights are made from, so that the store keeps it."""

from __future__ import annotations

from galvo_monitor.insights.caching import HITS, MISSES
from galvo_monitor.insights.waiting import DURATION, WAIT
from galvo_monitor.insights.watched import HTTP, LAG, OLDEST
from galvo_monitor.series import Aggregate

READS: frozenset[tuple[str, Aggregate]] = frozenset({
    (HTTP, "rate"), (HTTP, "p50"), (HTTP, "p95"),
    (DURATION, "rate"), (DURATION, "p50"), (DURATION, "p95"), (DURATION, "busy"), (WAIT, "busy"),
    (LAG, "p99"), (OLDEST, "value"),
    (HITS, "rate"), (MISSES, "rate"),
})  # fmt: skip
"""Metrics and aggregates."""
