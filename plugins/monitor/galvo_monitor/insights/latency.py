"""What takes longer than usual: queries, and the requests of which they are a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, duration, times
from galvo_monitor.series import Aggregate

Attributes = tuple[tuple[str, str], ...]
FEW, ENOUGH = 20, 200
"""Calls in an interval: of fewer nothing is said, and of fewer than the second not the p95. Of twenty calls it is the
slowest or the one before: two that happen to be slow are no incident. Their median is what tells of one.
"""
LEAST = 0.005
"""Seconds."""


class Latency:
    """The p95 of a histogram of seconds, or else its median; each of its series by itself."""

    def __init__(
        self, interval: float, metric: str, what: str, counts: Callable[[Mapping[str, str]], bool] = lambda _: True
    ) -> None:
        """`interval`: seconds between two looks. `counts` tells by its attributes whether a series is of success."""
        self._metric, self._what, self._counts = metric, what, counts
        self._quantiles = (
            _Quantile(interval, metric, "p50", "median", FEW),
            _Quantile(interval, metric, "p95", "p95", ENOUGH),
        )

    def look(self, reading: Reading) -> Clue | None:
        """The series that is farthest from what is usual of it."""
        rates = {
            series.attributes: rate
            for series, rate in reading.each(self._metric, "rate").items()
            if self._counts(dict(series.attributes))
        }
        found: dict[Attributes, tuple[_Quantile, Unusual, float]] = {}
        for quantile in self._quantiles:
            for attributes, (unusual, value) in quantile.look(reading, rates).items():
                found[attributes] = quantile, unusual, value
        if not found:
            return None
        quantile, unusual, value = max(found.values(), key=lambda one: one[1].ratio)
        since = clock(unusual.since, reading.now)
        return Clue(
            f"{self._what} {quantile.called} up {times(unusual.ratio)} to {duration(value)} since {since}",
            f"{self._metric} {quantile.called} {duration(value)}, usually {duration(unusual.usual)}",
            unusual.since,
            unusual.confidence,
            alone=True,
        )


class _Quantile:
    """One quantile of all series."""

    def __init__(self, interval: float, metric: str, aggregate: Aggregate, called: str, least: int) -> None:
        """`least`: calls in an interval, of fewer it says little."""
        self._interval, self._metric, self._aggregate = interval, metric, aggregate
        self.called, self._least = called, least
        self._series: dict[Attributes, Unusual] = {}

    def look(self, reading: Reading, rates: Mapping[Attributes, float]) -> dict[Attributes, tuple[Unusual, float]]:
        """Those that are unusual, of the ones in `rates`."""
        values = {
            series.attributes: value
            for series, value in reading.each(self._metric, self._aggregate).items()
            if rates.get(series.attributes, 0.0) * self._interval >= self._least
        }
        found = {}
        for attributes in self._series.keys() | values.keys():
            unusual = self._series.setdefault(attributes, Unusual(interval=self._interval, least=LEAST))
            value = values.get(attributes)
            if unusual.look(value, reading.now) and value is not None:
                found[attributes] = unusual, value
        return found


class Traffic:
    """How many there are: never wrong by itself."""

    def __init__(self, interval: float, metric: str, what: str) -> None:
        self._metric, self._what = metric, what
        self._rate = Unusual(interval=interval, least=1.0)

    def look(self, reading: Reading) -> Clue | None:
        rate = reading.total(self._metric, "rate")
        if not self._rate.look(rate, reading.now) or rate is None:
            return None
        text = f"{times(self._rate.ratio)} as many {self._what} as usual ({rate:,.0f} a second)"
        evidence = f"{self._metric} rate {rate:,.1f}, usually {self._rate.usual:,.1f}"
        return Clue(text, evidence, self._rate.since, self._rate.confidence)
