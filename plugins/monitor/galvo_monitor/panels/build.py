"""Panels from the numbers of the last interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from galvo_monitor.panels.layout import PARTS, Line, Part
from galvo_monitor.series import TOTAL, Series, Values
from galvo_monitor.view import Chart, Panel, Table, Value

Tables = Callable[[], list[Table]]
Charts = dict[str, list[Chart]]
LINES = 12
"""Of a chart, at most: more cannot be told apart."""


class Builder:
    """`tables` gives, by a panel's name, what it has besides its charts."""

    def __init__(self, tables: dict[str, Tables] | None = None) -> None:
        self._tables = tables or {}

    def panels(self, values: Values, known: Iterable[Series] = ()) -> list[Panel]:
        """Those that have anything to show. `known`: series that had a value before."""
        return self.with_tables(self.charts(values, known))

    def charts(self, values: Values, known: Iterable[Series] = ()) -> Charts:
        """By the panel's name. In any thread, and long where there are many series."""
        by_metric: dict[tuple[str, str], list[Series]] = {}
        for series in {**dict.fromkeys(known), **values}:
            by_metric.setdefault((series.metric, series.aggregate), []).append(series)
        return {part.name: _charts(part, by_metric, values) for part in PARTS}

    def with_tables(self, charts: Charts) -> list[Panel]:
        """In the loop's thread: it asks other plugins."""
        made = (self._panel(part, charts[part.name]) for part in PARTS)
        return [panel for panel in made if panel.charts or panel.tables]

    def _panel(self, part: Part, charts: list[Chart]) -> Panel:
        tables = self._tables[part.name]() if part.name in self._tables else []
        return Panel(part.name, part.title, charts, tables)


def _charts(part: Part, known: dict[tuple[str, str], list[Series]], values: Values) -> list[Chart]:
    charts = []
    for plot in part.plots:
        drawn = (value for line in plot.lines for value in _drawn(line, known, values))
        if lines := [*islice(drawn, LINES)]:
            charts.append(Chart(plot.title, lines))
    return charts


def _drawn(line: Line, known: dict[tuple[str, str], list[Series]], values: Values) -> Iterable[Value]:
    for series in known.get((line.metric, line.aggregate), ()):
        if (series.attributes == TOTAL) != (line.where == TOTAL):
            continue
        attributes = dict(series.attributes)
        if any(attributes.get(name, "") != value for name, value in line.where):
            continue
        label = line.label
        if line.by:
            called = attributes.get(line.by) or ("ok" if line.by == "error.type" else "")
            label = line.label + ", ".join(filter(None, (called, *map(attributes.get, line.beside))))
        yield Value(str(series), label or "all", line.unit, values.get(series))
