"""A kernel with the memory plugin on a machine of the test's, but with this process's real memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from msgspec.structs import replace

from galvo import Freed, Kernel, Level, MemoryPressure, Metric, Plugin, hookimpl
from galvo_memory import MemoryPlugin
from galvo_memory.signals import Sampler
from galvo_memory.watching.metering import LEVEL
from tests.plugins.memory.signals.trees import MIB, Tree

QUICK = {"interval": 0.01, "dwell": 0.05, "trace": 0, "answer": False}


class Hoard(Plugin):
    """Holds memory that really is there, and hears of pressure."""

    name = "hoard"
    provides = ("hoard",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.kept: list[bytearray] = []
        self.heard: list[Level] = []
        self.over: list[int] = []
        self.keeps = True
        """Frees nothing."""
        self.fault: Exception | None = None
        self.pause: anyio.Event | None = None
        self.metrics: dict[str, float] = {}
        self.looks = 0
        self._changed = anyio.Event()

    def take(self, mib: int) -> None:
        """Pages that nobody has touched are not memory yet."""
        self.kept += [bytearray(b"x" * MIB) for _ in range(mib)]

    def fill(self, target: float) -> None:
        """Until RSS is `target` bytes: some of it may be memory that earlier tests have freed."""
        while rss() < target:
            self.take(1)

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        self.heard.append(pressure.level)
        self.over.append(pressure.bytes_over)
        self._tell()
        if self.pause is not None:
            await self.pause.wait()
        if self.fault is not None:
            raise self.fault
        if self.keeps or not pressure.level:
            return None
        freed = len(self.kept) * MIB
        self.kept.clear()
        return Freed(freed, "hoard")

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.metrics[metric.name] = value
        if metric is LEVEL:
            self.looks += 1
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, true: Callable[[], object]) -> None:
        """Looked at again whenever something was heard."""
        with anyio.fail_after(20):
            while not true():
                await self._changed.wait()

    def stats(self) -> dict[str, float]:
        return {"bytes": len(self.kept) * MIB, "entries": len(self.kept)}


class Stage:
    def __init__(self, kernel: Kernel, tree: Tree) -> None:
        self.kernel = kernel
        self.tree = tree

    @property
    def hoard(self) -> Hoard:
        return self.kernel.find_capability("hoard")  # type: ignore[no-any-return]

    @property
    def memory(self) -> MemoryPlugin:
        return self.kernel.find_capability("memory")  # type: ignore[no-any-return]


def on(tree: Tree) -> type[MemoryPlugin]:
    """The plugin with this process's RSS, and everything else from `tree`, of which nothing is used."""

    class Memory(MemoryPlugin):
        paths = replace(tree.paths, statm=Path("/proc/self/statm"))

    tree.write("meminfo", f"MemTotal: {64 << 20} kB\nMemAvailable: {64 << 20} kB\n")
    return Memory


def rss() -> int:
    sampler = Sampler()
    try:
        return sampler.rss()
    finally:
        sampler.close()


@asynccontextmanager
async def staged(folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """Half of the limit is used, unless `limit` says otherwise."""
    tree = Tree(folder)
    settings = {**QUICK, "limit": 2 * rss(), **settings}
    async with Kernel.of({on(tree): settings, Hoard: {}}) as kernel:
        yield Stage(kernel, tree)
