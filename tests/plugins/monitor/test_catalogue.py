"""Every metric that is made anywhere is in the catalogue as it is made; every chart's and rule's is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from galvo import Metric
from galvo_monitor.catalogue import METRICS, metric
from galvo_monitor.panels.layout import PARTS

ROOT = Path(__file__).parents[3]
HOSTS = ("bench", "engraving")
"""An application's own metrics are not in it."""
Found = tuple[str, str, str]
"""Name, kind, unit."""


def made() -> Iterator[Found]:
    """By the source: `Metric("name", ...)`, and what is short for it."""
    for path in sorted((ROOT / "plugins").glob("*/galvo_*/**/*.py")):
        if path.name == "catalogue.py" or path.relative_to(ROOT / "plugins").parts[0] in HOSTS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield from _made(node, node.func.id)


def _made(call: ast.Call, function: str) -> Iterator[Found]:
    values = [arg.value if isinstance(arg, ast.Constant) else None for arg in call.args]
    named = {one.arg: one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)}
    texts = [value if isinstance(value, str) else "" for value in values]
    if function == "Metric" and texts and texts[0]:
        given = [*texts, *[""] * 3]
        yield texts[0], given[1] or str(named.get("kind", "counter")), given[2] or str(named.get("unit", "1"))
    elif function == "by" and len(texts) == 3 and texts[1]:
        yield texts[1], "counter", texts[2]
    elif function == "_metric" and len(texts) > 2 and texts[0]:
        yield f"db.client.connection.{texts[0]}", texts[1], texts[2]


def test_it_tells_what_is_made() -> None:
    found = set(made())
    assert len(found) > 50
    known = {(one.name, one.kind, one.unit) for one in METRICS.values()}
    assert not found - known, "put them into catalogue.py"


def test_every_chart_is_of_something_known() -> None:
    lines = [line for part in PARTS for plot in part.plots for line in plot.lines]
    assert [line.metric for line in lines if metric(line.metric, line.aggregate) is not METRICS.get(line.metric)] == []


def test_an_applications_own() -> None:
    assert metric("shop.sold", "rate") == Metric("shop.sold", "counter", "")
    assert metric("shop.sold", "p95").kind == "histogram"
    assert metric("shop.open", "value").kind == "gauge"
