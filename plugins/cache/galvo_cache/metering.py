"""The counters as metrics.

Names are made like OpenTelemetry's semantic conventions, which have none for caches.
"""

from __future__ import annotations

from collections.abc import Callable

from galvo import Context, Metering, Metric

COUNTERS = {
    "hits_l1": Metric("galvo.cache.hits", unit="{read}", attributes=(("galvo.cache.level", "l1"),)),
    "hits_l2": Metric("galvo.cache.hits", unit="{read}", attributes=(("galvo.cache.level", "l2"),)),
    "joined": Metric("galvo.cache.joins", unit="{read}"),
    "seconds_saved": Metric("galvo.cache.time_saved", unit="s"),
    "served_stale": Metric("galvo.cache.stale_answers", unit="{read}"),
    "stored": Metric("galvo.cache.stores", unit="{answer}"),
    "evicted": Metric("galvo.cache.evictions", unit="{answer}"),
    "flushes": Metric("galvo.cache.flushes", unit="{flush}"),
    "verified": Metric("galvo.cache.verified_hits", unit="{read}"),
    "warmed": Metric("galvo.cache.warmed", unit="{answer}"),
}
REASON = "galvo.cache.reason"
REASONS = {
    "misses": Metering.by(REASON, "galvo.cache.misses", "{read}"),
    "refused": Metering.by(REASON, "galvo.cache.refusals", "{query}"),
    "refreshed": Metering.by(REASON, "galvo.cache.refreshes", "{read}"),
    "wrong": Metering.by(REASON, "galvo.cache.wrong_hits", "{read}"),
    "unverified": Metering.by(REASON, "galvo.cache.unverified_hits", "{read}"),
}
"""Counters named by one of these, `_` and a reason."""
GAUGES = {
    "bytes": Metric("galvo.cache.size", "gauge", "By"),
    "budget": Metric("galvo.cache.budget", "gauge", "By"),
    "entries": Metric("galvo.cache.entries", "gauge", "{answer}"),
    "hit_ratio": Metric("galvo.cache.hit_ratio", "gauge"),
    "hit_ratio_all": Metric("galvo.cache.hit_ratio_all", "gauge"),
}


def metering(context: Context, stats: Callable[[], dict[str, float]]) -> Metering:
    """Records the cache's counters."""
    return Metering(context.record, stats, COUNTERS, GAUGES, REASONS)
