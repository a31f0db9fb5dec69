"""What takes longer than usual: queries, and the requests of which they are a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, duration, times
from galvo_monitor.series import Series

ENOUGH = 20
"""Calls in an interval: percentiles of fewer say little."""
LEAST = 0.005
"""Seconds."""


class Latency:
    """The p95 of a histogram of seconds, each of its series by itself."""

    def __init__(
        self, interval: float, metric: str, what: str, counts: Callable[[Mapping[str, str]], bool] = lambda _: True
    ) -> None:
        """`interval`: seconds between two looks. `counts` tells by its attributes whether a series is of success."""
        self._interval = interval
        self._metric, self._what, self._counts = metric, what, counts
        self._series: dict[Series, Unusual] = {}

    def look(self, reading: Reading) -> Clue | None:
        """The series that is farthest from what is usual of it."""
        rates = {series.attributes: rate for series, rate in reading.each(self._metric, "rate").items()}
        values = {
            series: value
            for series, value in reading.each(self._metric, "p95").items()
            if self._counts(dict(series.attributes)) and rates.get(series.attributes, 0.0) * self._interval >= ENOUGH
        }
        found: list[tuple[Unusual, float]] = []
        for series in self._series.keys() | values.keys():
            unusual = self._series.setdefault(series, Unusual(interval=self._interval, least=LEAST))
            value = values.get(series)
            if unusual.look(value, reading.now) and value is not None:
                found.append((unusual, value))
        if not found:
            return None
        unusual, value = max(found, key=lambda one: one[0].ratio)
        since = clock(unusual.since, reading.now)
        return Clue(
            f"{self._what} p95 up {times(unusual.ratio)} to {duration(value)} since {since}",
            f"{self._metric} p95 {duration(value)}, usually {duration(unusual.usual)}",
            unusual.since,
            unusual.confidence,
            alone=True,
        )


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
