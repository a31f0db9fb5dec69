"""Samples as metrics; OpenTelemetry's name where it has one."""

from __future__ import annotations

from galvo import Context, Level, Metric
from galvo_memory.signals import Sample

USAGE = Metric("process.memory.usage", "gauge", "By")
LIMIT = Metric("galvo.memory.limit", "gauge", "By")
USED = Metric("galvo.memory.used", "gauge", "By")
WAITING = Metric("galvo.memory.waiting", "gauge", "%")
BLOCKS = Metric("galvo.memory.blocks", "gauge", "{block}")
LEVEL = Metric("galvo.memory.level", "gauge")
FREED = Metric("galvo.memory.freed", "counter", "By")
LEAK = Metric("galvo.memory.leak", "gauge", "By/h")


def record(context: Context, sample: Sample, level: Level) -> None:
    context.record(USAGE, sample.rss)
    context.record(LIMIT, sample.tight.limit)
    context.record(USED, sample.tight.used)
    context.record(WAITING, sample.psi_some10)
    context.record(BLOCKS, sample.blocks)
    context.record(LEVEL, level)
