"""Every metric of every plugin is in the catalogue as it is recorded, and every chart's is in it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import galvo_cache
import galvo_index
import galvo_memory
import galvo_monitor
import galvo_pool
from galvo import Metric
from galvo_monitor.catalogue import METRICS, metric
from galvo_monitor.panels.layout import PARTS

PLUGINS = (galvo_cache, galvo_index, galvo_memory, galvo_monitor, galvo_pool)


def recorded() -> Iterator[Metric]:
    """Made at import, as they are to be."""
    for package in PLUGINS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name == "galvo_monitor.catalogue" or ".commands." in module.name:
                continue
            for found in vars(importlib.import_module(module.name)).values():
                values = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else [found]
                yield from (one for one in values if isinstance(one, Metric))


def test_it_tells_what_is_recorded() -> None:
    found = list(recorded())
    assert len(found) > 30
    wrong = {one.name: (one.kind, one.unit) for one in found if not _same(one)}
    assert not wrong, "put them into catalogue.py"


def _same(one: Metric) -> bool:
    known = METRICS.get(one.name)
    return known is not None and (known.kind, known.unit) == (one.kind, one.unit)


def test_every_chart_is_of_something_known() -> None:
    lines = [line for part in PARTS for plot in part.plots for line in plot.lines]
    assert [line.metric for line in lines if metric(line.metric, line.aggregate) is not METRICS.get(line.metric)] == []


def test_an_applications_own() -> None:
    assert metric("shop.sold", "rate") == Metric("shop.sold", "counter", "")
    assert metric("shop.sold", "p95").kind == "histogram"
    assert metric("shop.open", "value").kind == "gauge"
