"""Samples in worker threads, with a deadline each: a file system that hangs keeps one thread, and nobody waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

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
        self._deadline = deadline
        self._busy: set[str] = set()
        self._limiter = anyio.CapacityLimiter(2)
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
        self.sample = await self._in_thread("machine", self._machine.sample)
        if self.sample is not None:
            record_machine(record, self.sample)
        disks = await self._in_thread("disks", self._disks.sample)
        self._hangs = disks is None
        self.disks = disks or []
        for disk in self.disks:
            record_disk(record, disk)

    async def _in_thread(self, name: str, call: Callable[[], T]) -> T | None:
        """None: not in time. No other thread is started while one hangs."""
        if name in self._busy:
            return None

        began = False

        def called() -> T:
            nonlocal began
            began = True
            try:
                return call()
            finally:
                self._busy.discard(name)

        self._busy.add(name)
        with anyio.move_on_after(self._deadline):
            return await run_sync(called, abandon_on_cancel=True, limiter=self._limiter)
        if not began:
            self._busy.discard(name)
        return None
