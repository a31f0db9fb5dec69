"""How much is free where this application writes, and until when."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

import msgspec

from galvo_monitor.names import text
from galvo_monitor.system.filling import Filling, Readings


class Statvfs(Protocol):
    """What is needed of `os.statvfs_result`."""

    @property
    def f_frsize(self) -> int: ...
    @property
    def f_blocks(self) -> int: ...
    @property
    def f_bfree(self) -> int: ...
    @property
    def f_bavail(self) -> int: ...


class Disk(msgspec.Struct, frozen=True):
    path: str
    free: float
    """Bytes that others than root may still write."""
    size: float
    """Bytes, without those that are reserved for root."""
    filling: Filling | None


class Disks:
    """`sample` blocks, for ever if a network file system does: call it in a thread, never in two at once."""

    def __init__(
        self,
        paths: Sequence[str] = ("/",),
        *,
        statvfs: Callable[[str], Statvfs] = os.statvfs,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._statvfs = statvfs
        self._clock = clock
        self._readings = {path: Readings() for path in paths}
        self.problems: list[str] = []
        """Sentences about what could not be read the last time."""

    def sample(self) -> list[Disk]:
        """Never raises; what cannot be read is left out."""
        disks, problems = [], []
        for path, readings in self._readings.items():
            try:
                told = self._statvfs(path)
            except (OSError, ValueError) as error:
                cause = getattr(error, "strerror", None) or error  # ValueError: no path at all, as with NUL in it
                problems.append(f"{text(path)} (disks under [monitor]) cannot be looked at: {cause}")
                continue
            free = told.f_bavail * told.f_frsize
            size = (told.f_blocks - told.f_bfree + told.f_bavail) * told.f_frsize
            readings.add(self._clock(), free)
            disks.append(Disk(path, float(free), float(size), readings.filling()))
        self.problems = problems
        return disks
