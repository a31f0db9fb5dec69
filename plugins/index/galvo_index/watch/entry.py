"""What is known of one statement."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Any

from galvo_index.watch import histogram
from galvo_index.watch.fingerprint import Kind
from galvo_index.watch.reservoir import Budget, Reservoir

BATCH = 64
"""Calls whose times are counted together, which costs a third of counting each."""


class Entry:
    """Times of the last calls wait in `times` until `fold` counts them. Its `repr` shows no text: that has values."""

    __slots__ = (
        "arguments", "buckets", "calls", "errors", "fingerprint", "kind", "limit", "longest", "plan",
        "rows", "server", "shortest", "since", "skip", "slow", "sql", "times", "total",
    )  # fmt: skip

    def __init__(self, sql: str, samples: int, budget: Budget) -> None:
        self.sql = sql
        """One of its texts."""
        self.fingerprint = ""
        """"": not looked at yet."""
        self.kind: Kind = "other"
        self.since = monotonic()
        self.times: list[float] = []
        self.limit = 1
        """When `times` has so many, `fold` it."""
        self.calls = 0
        self.total = 0.0
        """Seconds of those that ended well, as this process saw them: with the wait for a connection, which the pool
        counts (`Watch.stats`), but not by statement."""
        self.shortest, self.longest = inf, 0.0
        self.buckets: histogram.Buckets = {}
        self.rows = 0
        self.errors = 0
        self.slow = 0
        self.arguments = Reservoir(samples, budget)
        self.skip = 0.0
        """Calls to pass over until the arguments of one are kept."""
        self.plan: Any = None
        """The last that was looked at: when, its shape, its findings."""
        self.server: dict[str, float] = {}
        """What pg_stat_statements had counted then."""

    def __repr__(self) -> str:
        return f"<Entry {self.fingerprint or 'new'}: {self.calls + len(self.times)} calls>"

    def fold(self, args: tuple[Any, ...] = ()) -> None:
        """Count what waits; `args` are those of the last call."""
        times = self.times
        if not times:
            return
        count = len(times)
        self.calls += count
        self.total += sum(times)
        times.sort()
        self.shortest = min(self.shortest, times[0])
        self.longest = max(self.longest, times[-1])
        histogram.add(self.buckets, times)
        times.clear()
        self.skip -= count
        if self.skip <= 0:
            self.skip = 1 + self.arguments.offer(args)
        self.limit = min(BATCH, max(1, int(min(self.skip, BATCH))))

    def absorb(self, other: Entry) -> None:
        """Another text of the same statement."""
        self.fold()
        other.fold()
        self.calls += other.calls
        self.total += other.total
        self.shortest = min(self.shortest, other.shortest)
        self.longest = max(self.longest, other.longest)
        histogram.merge(self.buckets, other.buckets)
        self.rows += other.rows
        self.errors += other.errors
        self.slow += other.slow
        self.since = min(self.since, other.since)
        self.arguments.absorb(other.arguments, other.calls / self.calls if self.calls else 0)

    def numbers(self) -> dict[str, Any]:
        """For people and machines: no literals, no arguments."""
        self.fold()
        return {
            "calls": self.calls,
            "seconds": self.total,
            "min": self.shortest if self.calls else 0.0,
            "p50": histogram.quantile(self.buckets, 0.5),
            "p99": histogram.quantile(self.buckets, 0.99),
            "max": self.longest,
            "rows": self.rows,
            "errors": self.errors,
            "slow": self.slow,
            **({"server": self.server} if self.server else {}),
        }
