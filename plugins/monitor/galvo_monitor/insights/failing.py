"""More failures than usual, and what most of them ended with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.latency import ENOUGH
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, share

LEAST, MATTERS = 0.005, 0.01
"""Of all calls: below the first failures do not differ, below the second they are not told."""


class Failing:
    def __init__(
        self, interval: float, metric: str, what: str, failure: Callable[[Mapping[str, str]], str | None]
    ) -> None:
        """`interval`: seconds between two looks. `failure`: what a series' attributes call it; None: a success."""
        self._metric, self._what, self._failure = metric, what, failure
        self._interval = interval
        self._share = Unusual(interval=interval, least=LEAST)

    def look(self, reading: Reading) -> Clue | None:
        rates = reading.each(self._metric, "rate")
        total = sum(rates.values())
        kinds: dict[str, float] = {}
        for series, rate in rates.items():
            if (kind := self._failure(dict(series.attributes))) is not None and rate:
                kinds[kind] = kinds.get(kind, 0.0) + rate
        failed = sum(kinds.values())
        part = failed / total if total * self._interval >= ENOUGH else None
        if not self._share.look(part, reading.now) or part is None or part < MATTERS:
            return None
        worst, rate = max(kinds.items(), key=lambda one: one[1])
        most = f", {'all' if len(kinds) == 1 else share(rate / failed) + ' of them'} with {worst}"
        return Clue(
            f"{share(part)} of the {self._what} fail since {clock(self._share.since, reading.now)}{most}",
            f"{self._metric}: {failed:,.2f} of {total:,.2f} a second failed, usually {share(self._share.usual)}",
            self._share.since,
            self._share.confidence,
            alone=True,
        )
