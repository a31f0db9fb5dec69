"""The queries themselves: slower than usual, failing more than usual, more of them than usual."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.waiting import DURATION
from galvo_monitor.insights.words import clock, duration, share, times
from galvo_monitor.series import Series

ERROR = "error.type"
ENOUGH = 20
"""Queries in an interval: percentiles and shares of fewer say little."""
LEAST_SECONDS, LEAST_RATE, LEAST_FAILED = 0.005, 1.0, 0.005
FAILED = 0.01
"""Of all queries, from which failures matter."""


class Queries:
    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two looks."""
        self._interval = interval
        self._slow: dict[Series, Unusual] = {}
        self._rate = Unusual(interval=interval, least=LEAST_RATE)
        self._failing = Unusual(interval=interval, least=LEAST_FAILED)

    def slow(self, reading: Reading) -> Clue | None:
        """The p95 of queries that succeeded, of the series that is farthest from its usual one."""
        rates = reading.each(DURATION, "rate")
        counts = {series.attributes: rate * reading.interval for series, rate in rates.items()}
        values = reading.each(DURATION, "p95")
        found: list[tuple[Unusual, float]] = []
        for series in self._slow.keys() | {series for series in values if ERROR not in dict(series.attributes)}:
            unusual = self._slow.setdefault(series, Unusual(interval=self._interval, least=LEAST_SECONDS))
            value = values.get(series) if counts.get(series.attributes, 0.0) >= ENOUGH else None
            if unusual.look(value, reading.now) and value is not None:
                found.append((unusual, value))
        if not found:
            return None
        unusual, value = max(found, key=lambda one: one[0].ratio)
        since = clock(unusual.since, reading.now)
        return Clue(
            f"query p95 up {times(unusual.ratio)} to {duration(value)} since {since}",
            f"{DURATION} p95 {duration(value)}, usually {duration(unusual.usual)}",
            unusual.since,
            unusual.confidence,
            alone=True,
        )

    def more(self, reading: Reading) -> Clue | None:
        rate = reading.total(DURATION, "rate")
        if not self._rate.look(rate, reading.now) or rate is None:
            return None
        text = f"{times(self._rate.ratio)} as many queries as usual ({rate:,.0f} a second)"
        evidence = f"{DURATION} rate {rate:,.1f}, usually {self._rate.usual:,.1f}"
        return Clue(text, evidence, self._rate.since, self._rate.confidence)

    def failing(self, reading: Reading) -> Clue | None:
        rates = reading.each(DURATION, "rate")
        total = sum(rates.values())
        kinds: dict[str, float] = {}
        for series, rate in rates.items():
            if (kind := dict(series.attributes).get(ERROR)) is not None:
                kinds[kind] = kinds.get(kind, 0.0) + rate
        part = sum(kinds.values()) / total if total * reading.interval >= ENOUGH else None
        if not self._failing.look(part, reading.now) or part is None or part < FAILED:
            return None
        worst, rate = max(kinds.items(), key=lambda one: one[1])
        since = clock(self._failing.since, reading.now)
        most = f", {'all' if len(kinds) == 1 else share(rate / sum(kinds.values())) + ' of them'} with {worst}"
        return Clue(
            f"{share(part)} of the queries fail since {since}{most}",
            f"{DURATION} with {ERROR}: {sum(kinds.values()):,.2f} of {total:,.2f} a second, usually "
            f"{share(self._failing.usual)}",
            self._failing.since,
            self._failing.confidence,
            alone=True,
        )
