"""What insights are made from, so that the store keeps it."""

from __future__ import annotations

from galvo_monitor.insights.caching import HITS, MISSES
from galvo_monitor.insights.queued import AT_ONCE, OLDEST, RUN
from galvo_monitor.insights.waiting import DURATION, WAIT
from galvo_monitor.insights.watched import HTTP, LAG
from galvo_monitor.series import Aggregate

READS: frozenset[tuple[str, Aggregate]] = frozenset({
    (HTTP, "rate"), (HTTP, "p50"), (HTTP, "p95"),
    (DURATION, "rate"), (DURATION, "p50"), (DURATION, "p95"), (DURATION, "busy"), (WAIT, "busy"),
    (LAG, "p99"), (OLDEST, "value"), (AT_ONCE, "value"), (RUN, "busy"),
    (HITS, "rate"), (MISSES, "rate"),
})  # fmt: skip
"""Metrics and aggregates."""
