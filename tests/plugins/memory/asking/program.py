"""A host application that runs until it is told to end: SETTINGS, MiB to take, and "leak" to take ever more."""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio

from galvo import Kernel, Level, MemoryPressure, Plugin, hookimpl
from galvo_memory import MemoryPlugin


class Shelf(Plugin):
    """Holds something, and hears of pressure."""

    name = "shelf"
    provides = ("shelf",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.critical = anyio.Event()

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> None:
        if pressure.level is Level.CRITICAL:
            self.critical.set()

    def stats(self) -> dict[str, float]:
        return {"bytes": 3 << 20, "entries": 1234}


class Broken(Plugin):
    """Cannot tell what it holds."""

    name = "broken"

    def stats(self) -> dict[str, float]:
        raise ValueError("no")


async def main(settings: dict[str, Any], mib: int) -> None:
    async with Kernel.of({MemoryPlugin: settings, Shelf: {}, Broken: {}}) as kernel:
        kept = [b"x" * (1 << 20) for _ in range(mib)]
        if mib:
            await kernel.find_capability("shelf").critical.wait()
        async with anyio.create_task_group() as tasks:
            if sys.argv[3:] == ["leak"]:
                tasks.start_soon(leak)
            print("ready", flush=True)
            await anyio.to_thread.run_sync(sys.stdin.readline)
            tasks.cancel_scope.cancel()
        del kept


async def leak() -> None:
    forever: list[list[int]] = []
    while True:
        forever += [[number] for number in range(200)]  # the leaking line
        await anyio.sleep(0.005)


if __name__ == "__main__":
    anyio.run(main, json.loads(sys.argv[1]), int(sys.argv[2]))
