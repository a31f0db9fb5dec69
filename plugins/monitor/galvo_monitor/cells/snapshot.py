"""What the cells held at one moment; two of them make the numbers of the time between."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from galvo import Metric
from galvo_monitor.cells.buckets import Buckets
from galvo_monitor.series import Aggregate, Series, Values

NOTHING = Buckets()
PERCENTILES: dict[Aggregate, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Snapshot(msgspec.Struct, frozen=True):
    """Counters and histograms hold all since the start of the process."""

    at: float
    """Seconds since the epoch."""
    counters: list[tuple[Metric, float]] = []
    gauges: list[tuple[Metric, float]] = []
    histograms: list[tuple[Metric, Buckets]] = []
    steady: float = 0.0
    """Seconds of a clock that nobody sets; 0: not known."""

    def seconds(self, older: Snapshot) -> float:
        """From `older` to this one; not positive when nobody knows."""
        return self.steady - older.steady if self.steady and older.steady else self.at - older.at

    def since(self, older: Snapshot | None) -> Values:
        """Of the time from `older` to this one; None: since the start, without what is told by the second.

        A counter or histogram that has less than before has begun anew: all of it is of this time.
        """
        seconds = self.seconds(older) if older is not None else 0.0
        return {
            Series.of(metric, aggregate): value
            for parts in (self._rates(older, seconds), self._values(), self._distributions(older, seconds))
            for metric, aggregate, value in parts
        }

    def _values(self) -> Iterator[tuple[Metric, Aggregate, float]]:
        for metric, value in self.gauges:
            yield metric, "value", value

    def _rates(self, older: Snapshot | None, seconds: float) -> Iterator[tuple[Metric, Aggregate, float]]:
        if older is None or seconds <= 0:
            return
        then = dict(older.counters)
        for metric, total in self.counters:
            before = then.get(metric, 0.0)
            yield metric, "rate", (total - before if total >= before else total) / seconds

    def _distributions(self, older: Snapshot | None, seconds: float) -> Iterator[tuple[Metric, Aggregate, float]]:
        then = dict(older.histograms) if older is not None else {}
        for metric, buckets in self.histograms:
            new = buckets.minus(then.get(metric, NOTHING))
            if seconds > 0:
                yield metric, "rate", new.count / seconds
                yield metric, "busy", new.sum / seconds
            if new.mean is not None:
                yield metric, "mean", new.mean
                yield metric, "max", new.max
                found = new.quantiles(tuple(PERCENTILES.values()))
                for aggregate, value in zip(PERCENTILES, found, strict=True):
                    yield metric, aggregate, value
