"""Collecting in threads: metrics by OpenTelemetry's names, and a disk that hangs keeps nobody waiting."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from galvo import Metric
from galvo_monitor.system import Disks, Machine, System
from galvo_monitor.system.metering import YEAR

pytestmark = pytest.mark.anyio
GIB = 1 << 30


class Heard(dict[tuple[str, ...], float]):
    """The last value of each metric, by its name and its attributes' values."""

    def record(self, metric: Metric, value: float) -> None:
        assert metric.kind == "gauge"
        self[(metric.name, *(value for _, value in metric.attributes))] = value


def told(free: int) -> Any:
    return SimpleNamespace(
        f_frsize=4096, f_blocks=100 * GIB // 4096, f_bfree=(free + GIB) // 4096, f_bavail=free // 4096
    )


async def test_metrics_have_the_names_of_opentelemetry() -> None:
    heard = Heard()
    system = System(Machine(), Disks())
    with anyio.fail_after(20):
        while ("system.cpu.utilization",) not in heard:  # the kernel counts in hundredths of a second
            await system.collect(heard.record)
    names = {name for name, *_ in heard}
    assert names >= {
        "system.cpu.utilization", "system.memory.utilization", "system.linux.memory.available",
        "process.cpu.utilization",
        "process.memory.usage", "process.thread.count", "process.unix.file_descriptor.count",
        "system.filesystem.usage", "system.filesystem.utilization", "galvo.disk.time_to_full",
    }  # fmt: skip
    assert heard["system.filesystem.usage", "/", "free"] > 0
    assert not system.problems


async def test_a_disk_that_fills_is_told_by_time_to_full() -> None:
    free = [50 * GIB, 50 * GIB, 40 * GIB, 30 * GIB]
    left, clock, heard = iter(free), iter(range(0, 1200, 30)), Heard()
    system = System(Machine(), Disks(["/data"], statvfs=lambda _: told(next(left)), clock=lambda: next(clock)))
    told_so = []
    for _ in free:
        await system.collect(heard.record)
        told_so.append(heard["galvo.disk.time_to_full", "/data"])
    assert told_so == [YEAR, YEAR, YEAR, pytest.approx(90)]
    assert heard["system.filesystem.usage", "/data", "free"] == 30 * GIB
    assert heard["system.filesystem.utilization", "/data"] == pytest.approx(1 - 30 / 99)


async def test_a_disk_that_cannot_be_seen_is_named() -> None:
    heard = Heard()
    system = System(Machine(), Disks(["/", "/no/such/folder"]))
    await system.collect(heard.record)
    assert [disk.path for disk in system.disks] == ["/"]
    assert system.problems == ["/no/such/folder (disks under [monitor]) cannot be looked at: No such file or directory"]


async def test_what_can_be_no_path_keeps_no_other_disk_from_being_seen() -> None:
    system = System(Machine(), Disks(["/\0x", "/"]))
    await system.collect(Heard().record)
    assert [disk.path for disk in system.disks] == ["/"]
    assert system.problems == ["/�x (disks under [monitor]) cannot be looked at: embedded null byte"]


async def test_a_disk_that_hangs_keeps_one_thread_and_nobody_waiting() -> None:
    go, calls = threading.Event(), []

    def hanging(path: str) -> Any:
        calls.append(path)
        go.wait()
        return told(GIB)

    heard = Heard()
    system = System(Machine(), Disks(["/net"], statvfs=hanging), deadline=0.05)
    try:
        for _ in range(3):
            await system.collect(heard.record)
            assert system.problems == ["a disk does not answer: its free space is not known"]
        assert calls == ["/net"]
        assert ("process.memory.usage",) in heard
    finally:
        go.set()
    while system.problems:
        await system.collect(heard.record)
    assert heard["system.filesystem.usage", "/net", "free"] == GIB


def test_a_disk_that_hangs_does_not_keep_the_process_from_its_end() -> None:
    program = (
        "import asyncio, threading\n"
        "from galvo_monitor.system import Disks, Machine, System\n"
        "hang = threading.Event().wait\n"
        "asyncio.run(System(Machine(), Disks(statvfs=lambda _: hang()), deadline=0.05).collect(lambda *_: None))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)
