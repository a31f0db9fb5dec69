"""Reads the series of the interval that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from galvo_monitor.series import Aggregate, Series

NONE: Mapping[str, str] = {}
TOTAL = ("total", "true")
"""The attribute of a histogram's sum of all its series, which stands among them (`collecting.totals`)."""


class Source(Protocol):
    """The store, as far as it is needed here."""

    def select(self, metric: str, aggregate: str, attributes: Mapping[str, str] = ...) -> list[Series]: ...

    def latest(self, series: Series) -> float | None: ...


class Reading:
    """One look at `source`."""

    def __init__(self, source: Source, now: float, interval: float) -> None:
        """`now`: seconds since the epoch; `interval`: seconds."""
        self._source = source
        self.now = now
        self.interval = interval

    def each(self, metric: str, aggregate: Aggregate, attributes: Mapping[str, str] = NONE) -> dict[Series, float]:
        """By series; without the total, and those that had no value."""
        series = self._source.select(metric, aggregate, attributes)
        found = {one: self._source.latest(one) for one in series if TOTAL not in one.attributes}
        return {series: value for series, value in found.items() if value is not None}

    def total(self, metric: str, aggregate: Aggregate, attributes: Mapping[str, str] = NONE) -> float | None:
        """The sum; None when there is no value."""
        values = self.each(metric, aggregate, attributes)
        return sum(values.values()) if values else None

    def highest(self, metric: str, aggregate: Aggregate, attributes: Mapping[str, str] = NONE) -> float | None:
        return max(self.each(metric, aggregate, attributes).values(), default=None)
