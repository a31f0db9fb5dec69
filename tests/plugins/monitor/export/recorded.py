"""Snapshots of what was really recorded, some of it on purpose."""

from __future__ import annotations

import math
import random

from galvo import Metric
from galvo_monitor.cells import Registry, Snapshot

AT = 1_800_000_000.0
HOSTILE = ('"} 1\nevil_total 1', "\\", "\n", "\0", "\ud800", "\x1b[31mred", "</script>", "é", "{}", "", "#")
DURATION = "db.client.operation.duration"


def recorded(histograms: int = 3, values: int = 50) -> Snapshot:
    return recording(histograms, values).read(AT)


def recording(histograms: int, values: int) -> Registry:
    """What galvo records, with `histograms` label sets of statements."""
    registry, chance = Registry(most=1 << 20), random.Random(1)
    for metric, value in (
        (Metric("galvo.cache.hits", "counter", "{read}", (("galvo.cache.level", "l1"),)), 41),
        (Metric("galvo.cache.hits", "counter", "{read}", (("galvo.cache.level", "l2"),)), 1),
        (Metric("db.client.connection.count", "gauge", "{connection}", (("db.client.connection.state", "used"),)), 3),
        (Metric("process.memory.usage", "gauge", "By"), 123_456_789),
        (Metric("system.cpu.utilization", "gauge"), 0.25),
        (Metric("galvo.memory.waiting", "gauge", "%"), 1e-7),
        (Metric("body.size", "histogram", "By"), 3000),
        (Metric("batch.rows", "histogram", "{row}"), 12),
    ):
        registry.record(metric, value)
    for number in range(histograms):
        metric = Metric(DURATION, "histogram", "s", (("db.query.summary", f"select material {number}"),))
        for _ in range(values):
            registry.record(metric, chance.lognormvariate(-6, 1.5))
    return registry


def hostile() -> Snapshot:
    """Texts that nobody should send, and names that are the same in Prometheus' alphabet."""
    registry = Registry()
    for text in HOSTILE:
        registry.record(Metric("shop.sold", "counter", "{engraving}", (("customer", text), ("le", text))), 1)
        registry.record(Metric("shop.wait", "histogram", "s", (("customer", text), ("quantile", text))), 0.1)
        registry.record(Metric(f"shop.{text}", "gauge", text, ((text, "x"),)), 1)
    for name, value in (("nan", math.nan), ("up", math.inf), ("down", -math.inf)):
        registry.record(Metric("shop.odd", "gauge", "1", (("what", name),)), value)
    registry.record(Metric("same.name"), 1)
    registry.record(Metric("same_name"), 1)
    registry.record(Metric("same.label", "counter", "1", (("a.b", "x"),)), 1)
    registry.record(Metric("same.label", "counter", "1", (("a_b", "x"),)), 1)
    registry.record(Metric("part", "histogram", "1"), 1)
    registry.record(Metric("part.sum", "histogram", "1"), 1)
    registry.record(Metric("kind", "gauge", "{x}"), 1)
    registry.record(Metric("kind", "histogram", "{x}"), 1)
    return registry.read(AT)
