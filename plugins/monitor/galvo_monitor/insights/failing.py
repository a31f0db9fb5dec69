"""More failures than usual, and what most of them ended with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from galvo_monitor.insights.baseline import MEMORY
from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.latency import FEW
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, share

LEAST, MATTERS = 0.005, 0.01
"""Of all calls: below the first failures do not differ, below the second they are not told."""
CHANCE = 5e-4
"""That so many fail in an interval though no more do than usual: two in a row are an incident."""
ADDED = 2.0
"""Failures added to those that were seen: none in 100 calls is no promise."""


class Failing:
    def __init__(
        self, interval: float, metric: str, what: str, failure: Callable[[Mapping[str, str]], str | None]
    ) -> None:
        """`interval`: seconds between two looks. `failure`: what a series' attributes call it; None: a success."""
        self._metric, self._what, self._failure = metric, what, failure
        self._interval = interval
        self._share = Unusual(interval=interval, least=LEAST)
        self._calls = self._failures = 0.0
        """Of the last 25 minutes that were usual."""

    def look(self, reading: Reading) -> Clue | None:
        rates = reading.each(self._metric, "rate")
        total = sum(rates.values())
        kinds: dict[str, float] = {}
        for series, rate in rates.items():
            if (kind := self._failure(dict(series.attributes))) is not None and rate:
                kinds[kind] = kinds.get(kind, 0.0) + rate
        failed = sum(kinds.values())
        calls, failures = total * self._interval, failed * self._interval
        part = failed / total if calls >= FEW else None
        told = self._beyond_chance(calls, failures) if part is not None else None
        odd = self._share.look(told, reading.now)
        usual = self._failures / self._calls if self._calls else 0.0
        if not self._share.outside:
            self._learn(calls, failures)
        if not odd or part is None or part < MATTERS:
            return None
        worst, rate = max(kinds.items(), key=lambda one: one[1])
        most = f", {'all' if len(kinds) == 1 else share(rate / failed) + ' of them'} with {worst}"
        return Clue(
            f"{share(part)} of the {self._what} fail since {clock(self._share.since, reading.now)}{most}",
            f"{self._metric}: {failed:,.2f} of {total:,.2f} a second failed, usually {share(usual)}",
            self._share.since,
            self._share.confidence,
            alone=True,
        )

    def _beyond_chance(self, calls: float, failures: float) -> float:
        """The share, or the usual one where it is no more than that by chance: one of 20 calls is 5 % at once."""
        if not self._calls:
            return failures / calls
        expected = calls * (self._failures + ADDED) / self._calls
        return (failures if _chance(failures, expected) < CHANCE else calls * self._failures / self._calls) / calls

    def _learn(self, calls: float, failures: float) -> None:
        left = max(0.0, 1 - self._interval / MEMORY)
        self._calls, self._failures = left * self._calls + calls, left * self._failures + failures


def _chance(count: float, expected: float) -> float:
    """That a Poisson number of mean `expected` is `count` at least; many by Chernoff's bound, which is above it."""
    count = round(count)
    if count <= expected:
        return 1.0
    if count > 50:
        return math.exp(count - expected - count * math.log(count / expected))
    return 1 - math.exp(-expected) * sum(expected**less / math.factorial(less) for less in range(count))
