"""Panels from the values of an interval."""

from __future__ import annotations

from galvo_monitor.panels import Builder
from galvo_monitor.panels.build import LINES
from galvo_monitor.panels.layout import PARTS
from galvo_monitor.series import OF, TOTAL, Aggregate, Series
from galvo_monitor.view import Table

QUERY = "db.client.operation.duration"


def of(metric: str, aggregate: Aggregate, **attributes: str) -> Series:
    return Series(metric, aggregate, tuple(sorted((name.replace("__", "."), to) for name, to in attributes.items())))


def test_only_what_there_is() -> None:
    (panel,) = Builder().panels({of("galvo.cache.hit_ratio", "value"): 0.9})
    assert (panel.name, [chart.title for chart in panel.charts]) == ("cache", ["Hit ratio"])
    (value,) = panel.charts[0].values
    assert (value.series, value.label, value.unit, value.now) == (
        "galvo.cache.hit_ratio value", "of what may be kept", "1", 0.9
    )  # fmt: skip


def test_percentiles_are_of_all_statements_together() -> None:
    values = {
        of(QUERY, "p95", total="true"): 0.2,
        of(QUERY, "p95", db__system__name="postgresql"): 0.1,
        of(QUERY, "p95", error__type="57014"): 5.0,
    }
    (panel,) = Builder().panels(values)
    (chart,) = panel.charts
    assert [(value.label, value.now) for value in chart.values] == [("95 %", 0.2)]


def test_a_line_for_each_value_of_an_attribute() -> None:
    values = {
        of(QUERY, "rate", db__system__name="postgresql"): 90.0,
        of(QUERY, "rate", db__system__name="postgresql", error__type="23505"): 2.0,
        of(QUERY, "rate", total="true"): 92.0,
    }
    (panel,) = Builder().panels(values)
    (chart,) = panel.charts
    assert {(value.label, value.now) for value in chart.values} == {("ok", 90.0), ("23505", 2.0)}


def test_further_attributes_are_said_where_there_are_any() -> None:
    values = {
        of("galvo.tasks.done", "rate", task="shop.raster", outcome="success"): 9.0,
        of("galvo.tasks.done", "rate", task="shop.raster", outcome="failure", error="ValueError"): 1.0,
    }
    (panel,) = Builder().panels(values)
    assert {(value.label, value.now) for value in panel.charts[0].values} == {
        ("success, shop.raster", 9.0),
        ("failure, shop.raster, ValueError", 1.0),
    }


def test_never_more_lines_than_can_be_told_apart() -> None:
    values = {of("galvo.tasks.depth", "value", queue=f"q{number}"): 1.0 for number in range(100)}
    (panel,) = Builder().panels(values)
    assert len(panel.charts[0].values) == LINES


def test_tables_make_a_panel_too() -> None:
    table = Table("Holders", [("What", "")], [["the cache"]])
    (panel,) = Builder({"memory": lambda: [table]}).panels({})
    assert (panel.name, panel.tables) == ("memory", [table])


def test_a_line_asks_for_an_aggregate_that_a_metric_can_have() -> None:
    known = {aggregate for aggregates in OF.values() for aggregate in aggregates}
    for part in PARTS:
        for plot in part.plots:
            for line in plot.lines:
                assert line.aggregate in known
                assert line.unit, line
                if line.aggregate.startswith("p"):
                    assert line.where in ((), TOTAL)
