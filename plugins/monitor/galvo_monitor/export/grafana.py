"""A Grafana dashboard from the same layout as the page's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from galvo_monitor.catalogue import metric
from galvo_monitor.names import expression, label
from galvo_monitor.panels.layout import PARTS, Line, Plot

WINDOW = "$__rate_interval"
WIDE, HIGH, IN_A_ROW = 24, 8, 3
UNITS = {"s": "s", "By": "bytes", "1": "percentunit", "%": "percent"}
"""Grafana's, of UCUM's."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> dict[str, Any]:
    """To be imported as it is; asks for the data source."""
    panels = list(_panels())
    return {
        "uid": "galvo",
        "title": "galvo",
        "tags": ["galvo"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0},
            {"name": "job", "label": "Job", "type": "query", "datasource": SOURCE, "refresh": 2, "multi": False,
             "query": "label_values(galvo_loop_lag_seconds_count, job)", "includeAll": True, "allValue": ".*"},
        ]},
        "annotations": {"list": []},
        "panels": panels,
    }  # fmt: skip


def _panels() -> Iterator[dict[str, Any]]:
    numbers, top = count(1), 0
    yield _alerts(next(numbers), top)
    top += HIGH // 2
    for part in PARTS:
        yield {
            "id": next(numbers), "type": "row", "title": part.title, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": top, "w": WIDE, "h": 1},
        }  # fmt: skip
        top += 1
        width = WIDE // min(IN_A_ROW, len(part.plots))
        for index, plot in enumerate(part.plots):
            place = {"x": index % IN_A_ROW * width, "y": top + index // IN_A_ROW * HIGH, "w": width, "h": HIGH}
            yield _plot(next(numbers), plot, place)
        top += -(-len(part.plots) // IN_A_ROW) * HIGH


def _alerts(number: int, top: int) -> dict[str, Any]:
    """What `galvo monitor export rules` fires."""
    query = 'ALERTS{alertstate="firing"}'
    return {
        "id": number, "type": "table", "title": "Alerts that fire", "datasource": SOURCE,
        "gridPos": {"x": 0, "y": top, "w": WIDE, "h": HIGH // 2},
        "targets": [{"refId": "A", "datasource": SOURCE, "expr": query, "instant": True, "format": "table"}],
        "options": {"showHeader": True}, "fieldConfig": {"defaults": {"noValue": "none"}, "overrides": []},
    }  # fmt: skip


def _plot(number: int, plot: Plot, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number, "type": "timeseries", "title": plot.title, "datasource": SOURCE, "gridPos": place,
        "targets": [_target(chr(ord("A") + index), line) for index, line in enumerate(plot.lines)],
        "fieldConfig": {
            "defaults": {
                "unit": _unit(plot.lines[0].unit), "min": 0, "custom": {"fillOpacity": 8, "showPoints": "never"},
            },
            "overrides": [],
        },
        "options": {
            "tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"displayMode": "list", "showLegend": True},
        },
    }  # fmt: skip


def _target(letter: str, line: Line) -> dict[str, Any]:
    where = {name: value for name, value in line.where if value}
    told = [line.by, *line.beside] if line.by else []
    by = ["job", "instance", *told]
    query = expression(metric(line.metric, line.aggregate), line.aggregate, where, WINDOW, by, 'job=~"$job"')
    if line.by == "error.type":
        query = f'label_replace({query}, "error_type", "ok", "error_type", "")'
    return {
        "refId": letter, "datasource": SOURCE, "editorMode": "code", "expr": query,
        "legendFormat": line.label + ", ".join(f"{{{{{label(name)}}}}}" for name in told) or "all",
    }  # fmt: skip


def _unit(unit: str) -> str:
    return UNITS.get(unit, "ops" if unit.endswith("/s") else "short")
