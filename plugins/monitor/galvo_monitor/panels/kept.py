"""Which series have a past: those that are drawn, judged, or that somebody has a rule for."""

from __future__ import annotations

from collections.abc import Iterable

from galvo_monitor.insights import READS
from galvo_monitor.panels.layout import PARTS
from galvo_monitor.series import TOTAL, Series, Values


class Kept:
    """All others are exported as they are now, and have no past."""

    def __init__(self, also: Iterable[tuple[str, str]] = ()) -> None:
        """`also`: metrics and aggregates that rules look at."""
        lines = [line for part in PARTS for plot in part.plots for line in plot.lines]
        ruled = {*also}
        self._totals = {(line.metric, line.aggregate) for line in lines if line.where == TOTAL} | ruled
        self._others = {(line.metric, line.aggregate) for line in lines if line.where != TOTAL} | READS | ruled

    @property
    def names(self) -> set[str]:
        """Of their metrics."""
        return {metric for metric, _ in self._totals | self._others}

    def of(self, values: Values) -> Values:
        return {series: value for series, value in values.items() if self._wants(series)}

    def _wants(self, series: Series) -> bool:
        wanted = self._totals if series.attributes == TOTAL else self._others
        return (series.metric, series.aggregate) in wanted
