"""The counters as metrics: what has come since the last time, told every few seconds and never by a hit.

Names are made like OpenTelemetry's semantic conventions, which have none for caches.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio

from galvo import Context, Metric

INTERVAL = 5.0
"""Seconds."""
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
REASONS = {
    "misses": ("galvo.cache.misses", "{read}"),
    "refused": ("galvo.cache.refusals", "{query}"),
    "refreshed": ("galvo.cache.refreshes", "{read}"),
    "wrong": ("galvo.cache.wrong_hits", "{read}"),
    "unverified": ("galvo.cache.unverified_hits", "{read}"),
}
"""Counters named by one of these, `_` and a reason."""
GAUGES = {
    "bytes": Metric("galvo.cache.size", "gauge", "By"),
    "budget": Metric("galvo.cache.budget", "gauge", "By"),
    "entries": Metric("galvo.cache.entries", "gauge", "{answer}"),
    "hit_ratio": Metric("galvo.cache.hit_ratio", "gauge"),
    "hit_ratio_all": Metric("galvo.cache.hit_ratio_all", "gauge"),
}


class Metering:
    """Records the cache's counters."""

    def __init__(self, context: Context, stats: Callable[[], dict[str, float]]) -> None:
        self._context = context
        self._stats = stats
        self._told: dict[str, float] = {}
        self._counters: dict[str, Metric | None] = {**COUNTERS}

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            await anyio.sleep(INTERVAL)
            self.record()

    def record(self) -> None:
        """Tell what has come since the last call."""
        now = self._stats()
        for name, value in now.items():
            metric = self._counter(name)
            new = value - self._told.get(name, 0)
            if metric is not None and new > 0:
                self._context.record(metric, new)
        for name, gauge in GAUGES.items():
            self._context.record(gauge, now[name])
        self._told = now

    def _counter(self, name: str) -> Metric | None:
        if name not in self._counters:
            group, _, reason = name.partition("_")
            made = REASONS.get(group) if reason else None
            self._counters[name] = (
                Metric(made[0], unit=made[1], attributes=(("galvo.cache.reason", reason),)) if made else None
            )
        return self._counters[name]
