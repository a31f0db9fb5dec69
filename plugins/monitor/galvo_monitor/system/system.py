"""Samples in threads, with a deadline each: a file system that hangs keeps one thread, and nobody waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from galvo_monitor.apart import Apart, Late
from galvo_monitor.system.disks import Disk, Disks
from galvo_monitor.system.machine import Machine, Sample
from galvo_monitor.system.metering import Record, record_disk, record_machine

DEADLINE = 4.0
"""Seconds."""
T = TypeVar("T")


class System:
    def __init__(self, machine: Machine, disks: Disks, *, deadline: float = DEADLINE) -> None:
        """`deadline`: seconds that a sample may take at most."""
        self._machine = machine
        self._disks = disks
        self._of_machine = Apart("galvo monitor machine", deadline=deadline)
        self._of_disks = Apart("galvo monitor disks", deadline=deadline)
        self.sample: Sample | None = None
        self.disks: list[Disk] = []
        self._hangs = False

    @property
    def problems(self) -> list[str]:
        """What is not known, in sentences."""
        hangs = ["a disk does not answer: its free space is not known"] if self._hangs else []
        return [*hangs, *self._disks.problems]

    async def collect(self, record: Record) -> None:
        """Sample, and tell `record`. Takes two deadlines at most."""
        self.sample = await _in_time(self._of_machine, self._machine.sample)
        if self.sample is not None:
            record_machine(record, self.sample)
        disks = await _in_time(self._of_disks, self._disks.sample)
        self._hangs = disks is None
        self.disks = disks or []
        for disk in self.disks:
            record_disk(record, disk)


async def _in_time(apart: Apart, call: Callable[[], T]) -> T | None:
    """None: not in time."""
    try:
        return await apart.call(call)
    except Late:
        return None
