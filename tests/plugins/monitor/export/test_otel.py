"""OpenTelemetry's own reader sees what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Gauge, InMemoryMetricReader, Metric, Sum

from galvo import Metric as Recorded
from galvo_monitor.cells import Registry
from galvo_monitor.export import otel
from galvo_monitor.export.otel import Bridge
from galvo_monitor.panels.layout import TOTAL

AT = 1_800_000_000.0
HITS = Recorded("galvo.cache.hits", "counter", "{read}", (("galvo.cache.level", "l1"),))
SIZE = Recorded("galvo.cache.size", "gauge", "By")
DURATION = Recorded("db.client.operation.duration", "histogram", "s", (("db.system.name", "postgresql"),))


class Stage:
    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader])
        self.bridge = Bridge(self.provider.get_meter("galvo.monitor"))
        self.registry = Registry()
        self._last: Any = None

    def collect(self) -> dict[str, Metric]:
        """What the reader gets after one more collection."""
        snapshot = self.registry.read(AT)
        self.bridge.update(snapshot, snapshot.since(self._last))
        self._last = snapshot
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        [scope] = data.resource_metrics[0].scope_metrics
        assert scope.scope.name == "galvo.monitor"
        return {metric.name: metric for metric in scope.metrics}


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.provider.shutdown()


def points(metric: Metric) -> dict[tuple[tuple[str, Any], ...], float]:
    return {tuple((point.attributes or {}).items()): point.value for point in metric.data.data_points}  # type: ignore[union-attr]


def test_counters_and_gauges(stage: Stage) -> None:
    stage.registry.record(HITS, 3)
    stage.registry.record(SIZE, 1024)
    found = stage.collect()
    hits, size = found["galvo.cache.hits"], found["galvo.cache.size"]
    assert isinstance(hits.data, Sum)
    assert hits.data.is_monotonic
    assert isinstance(size.data, Gauge)
    assert (hits.unit, size.unit) == ("{read}", "By")
    assert points(hits) == {(("galvo.cache.level", "l1"),): 3}
    assert points(size) == {(): 1024}


def test_it_goes_on(stage: Stage) -> None:
    stage.registry.record(HITS, 3)
    stage.collect()
    stage.registry.record(HITS, 4)
    stage.registry.record(Recorded(HITS.name, HITS.kind, HITS.unit, (("galvo.cache.level", "l2"),)), 1)
    stage.registry.record(SIZE, 5)
    found = stage.collect()
    assert list(points(found["galvo.cache.hits"]).values()) == [7, 1]
    assert points(found["galvo.cache.size"]) == {(): 5}


def test_histograms(stage: Stage) -> None:
    for milliseconds in range(1, 101):
        stage.registry.record(DURATION, milliseconds / 1000)
        stage.registry.record(Recorded(DURATION.name, "histogram", "s", TOTAL), 1)
    found = stage.collect()
    attributes = (("db.system.name", "postgresql"),)
    assert points(found["db.client.operation.duration.count"]) == {attributes: 100}
    assert points(found["db.client.operation.duration.sum"]) == {attributes: pytest.approx(5.05)}
    assert points(found["db.client.operation.duration.p95"]) == {attributes: pytest.approx(0.095, rel=1 / 16)}
    assert points(found["db.client.operation.duration.max"]) == {attributes: 0.1}
    quiet = stage.collect()
    assert points(quiet["db.client.operation.duration.count"]) == {attributes: 100}
    assert "db.client.operation.duration.p95" not in quiet, "nothing came in this interval"


def test_names_that_opentelemetry_refuses(stage: Stage) -> None:
    """They cost neither the others nor the program."""
    stage.registry.record(Recorded("9 lives, left", "gauge", "{life}"), 9)
    stage.registry.record(Recorded("", "counter"), 1)
    stage.registry.record(Recorded("é" * 100, "histogram", "\ud800" * 100), 1)
    stage.registry.record(SIZE, 5)
    assert points(stage.collect()["galvo.cache.size"]) == {(): 5}


def test_instruments_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "MOST", 10)
    for number in range(100):
        stage.registry.record(Recorded(f"shop.made_up_{number}"), 1)
    assert len(stage.collect()) == 10
