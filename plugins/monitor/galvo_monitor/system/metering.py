"""Samples as metrics; OpenTelemetry's name where it has one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from galvo import Metric
from galvo_monitor.system.disks import Disk
from galvo_monitor.system.machine import Sample

Record = Callable[[Metric, float], None]

CPU = Metric("system.cpu.utilization", "gauge")
MEMORY = Metric("system.memory.utilization", "gauge")
AVAILABLE = Metric("system.linux.memory.available", "gauge", "By")
OWN_CPU = Metric("process.cpu.utilization", "gauge")
"""Of all CPUs, as OpenTelemetry wants it."""
RSS = Metric("process.memory.usage", "gauge", "By")
THREADS = Metric("process.thread.count", "gauge", "{thread}")
FILES = Metric("process.unix.file_descriptor.count", "gauge", "{file_descriptor}")
YEAR = 365 * 86400.0
"""Seconds to full of a disk that does not fill: a gauge has to have a value, or keeps its last."""


@cache
def pressure(resource: str, kind: str) -> Metric:
    """Share of the interval in which `kind` ("some", "full") of the tasks waited for `resource`: PSI."""
    return Metric("galvo.system.pressure", "gauge", attributes=(("galvo.resource", resource), ("galvo.stalled", kind)))


@cache
def free(path: str) -> Metric:
    return Metric(
        "system.filesystem.usage",
        "gauge",
        "By",
        (("system.filesystem.mountpoint", path), ("system.filesystem.state", "free")),
    )


@cache
def used(path: str) -> Metric:
    return Metric("system.filesystem.utilization", "gauge", attributes=(("system.filesystem.mountpoint", path),))


@cache
def time_to_full(path: str) -> Metric:
    return Metric("galvo.disk.time_to_full", "gauge", "s", (("system.filesystem.mountpoint", path),))


def record_machine(record: Record, sample: Sample) -> None:
    for metric, value in (
        (CPU, sample.cpu),
        (MEMORY, sample.memory),
        (AVAILABLE, sample.available),
        (OWN_CPU, sample.own_cpu),
        (RSS, sample.rss),
        (THREADS, sample.threads),
        (FILES, sample.files),
    ):
        if value is not None:
            record(metric, value)
    for (resource, kind), share in sample.pressure.items():
        record(pressure(resource, kind), share)


def record_disk(record: Record, disk: Disk) -> None:
    record(free(disk.path), disk.free)
    record(used(disk.path), 1 - disk.free / disk.size if disk.size else 1.0)
    record(time_to_full(disk.path), min(YEAR, disk.filling.seconds) if disk.filling else YEAR)
