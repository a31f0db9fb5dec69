"""Panels from the numbers of the last interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from galvo_monitor.panels.layout import PARTS, Line, Part
from galvo_monitor.series import TOTAL, Series, Values
from galvo_monitor.view import Chart, Panel, Table, Value

Tables = Callable[[], list[Table]]
LINES = 12
"""Of a chart, at most: more cannot be told apart."""


class Builder:
    """`tables` gives, by a panel's name, what it has besides its charts."""

    def __init__(self, tables: dict[str, Tables] | None = None) -> None:
        self._tables = tables or {}

    def panels(self, values: Values, known: Iterable[Series] = ()) -> list[Panel]:
        """Those that have anything to show. `known`: series that had a value before."""
        by_metric: dict[tuple[str, str], list[Series]] = {}
        for series in {**dict.fromkeys(known), **values}:
            by_metric.setdefault((series.metric, series.aggregate), []).append(series)
        made = (self._panel(part, by_metric, values) for part in PARTS)
        return [panel for panel in made if panel.charts or panel.tables]

    def _panel(self, part: Part, known: dict[tuple[str, str], list[Series]], values: Values) -> Panel:
        charts = []
        for plot in part.plots:
            drawn = [value for line in plot.lines for value in _drawn(line, known, values)]
            if drawn:
                charts.append(Chart(plot.title, drawn[:LINES]))
        tables = self._tables[part.name]() if part.name in self._tables else []
        return Panel(part.name, part.title, charts, tables)


def _drawn(line: Line, known: dict[tuple[str, str], list[Series]], values: Values) -> Iterable[Value]:
    for series in known.get((line.metric, line.aggregate), ()):
        if (series.attributes == TOTAL) != (line.where == TOTAL):
            continue
        attributes = dict(series.attributes)
        if any(attributes.get(name, "") != value for name, value in line.where):
            continue
        label = line.label
        if line.by:
            label = line.label + (attributes.get(line.by) or ("ok" if line.by == "error.type" else ""))
        yield Value(str(series), label or "all", line.unit, values.get(series))
