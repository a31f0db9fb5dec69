"""What is done when memory gets short: plugins free what they can, then the collector, then the allocator.

Each step is measured by what the process really holds before and after it: what is freed in Python is not given back
to the system by itself.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Awaitable, Callable
from time import monotonic, perf_counter

from galvo import Freed, Level, MemoryPressure
from galvo.sizes import show
from galvo_memory.allocator import unused
from galvo_memory.relief.pauses import ALL
from galvo_memory.relief.trim import trim

PAUSE = 60.0
"""Seconds between two runs of what stops the process for a while, unless the level is critical."""
YOUNG = 1
"""This generation, and the one below."""


class Relief:
    """Of one process. Nobody calls it twice at once."""

    def __init__(
        self,
        relieve: Callable[[MemoryPressure], Awaitable[Freed]],
        held: Callable[[], int],
        log: logging.Logger,
        *,
        collect: Callable[[int], int] = gc.collect,
        trim: Callable[[], Awaitable[bool]] = trim,
        free: Callable[[], int] = unused,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`relieve` is the kernel's; `held()` gives the bytes that the process holds (RSS), `free()` those that malloc
        can use without asking for more.
        """
        self._relieve = relieve
        self._held = held
        self._log = log
        self._collect = collect
        self._trim = trim
        self._free = free
        self._clock = clock
        self._thorough = float("-inf")
        """When the whole heap was collected and trimmed last."""
        self.level = Level.NORMAL
        """Of which the plugins were told last."""
        self.runs = 0
        self.regained = 0
        """Bytes, since the start."""

    async def relieve(self, level: Level, bytes_over: int = 0) -> list[Freed]:
        """Tell everybody `level`, and unless it is normal free what can be freed; gives what each step regained.

        A level that is better than the last one is no reason to free anything, and told only when it is normal. Bytes
        are the fall of RSS during the step, 0 when it has grown meanwhile.
        """
        better, self.level = level < self.level, level
        if level is Level.NORMAL:
            await self._relieve(MemoryPressure(level))
        if better or level is Level.NORMAL:
            return []
        first = before = self._held()
        said = await self._relieve(MemoryPressure(level, bytes_over))
        before, regained = self._since(before)
        steps = [Freed(regained, f"plugins ({said.what}: {show(said.bytes)} as they say)" if said.bytes else "plugins")]
        thorough = level is Level.CRITICAL or self._clock() - self._thorough >= PAUSE
        began = perf_counter()
        found = self._collect(ALL if thorough and level >= Level.HIGH else YOUNG)
        seconds = perf_counter() - began
        before, regained = self._since(before)
        steps.append(Freed(regained, f"garbage collector ({found:,} objects in {seconds * 1000:.0f} ms)"))
        if thorough:
            self._thorough = self._clock()
            if await self._trim():
                before, regained = self._since(before)
                steps.append(Freed(regained, "malloc_trim"))
        self.runs += 1
        self.regained += max(0, first - before)
        self._tell(level, bytes_over, first, before, steps)
        return steps

    def _since(self, before: int) -> tuple[int, int]:
        now = self._held()
        return now, max(0, before - now)

    def _tell(self, level: Level, bytes_over: int, before: int, after: int, steps: list[Freed]) -> None:
        over = f", {show(bytes_over)} too much" if bytes_over else ""
        parts = ", ".join(f"{show(step.bytes)} by {step.what}" for step in steps)
        self._log.log(
            logging.WARNING if level >= Level.HIGH else logging.INFO,
            "memory is short (%s%s): %s of %s regained: %s; malloc has %s free",
            level.name.lower(), over, show(max(0, before - after)), show(before), parts, show(self._free()),
        )  # fmt: skip

    def stats(self) -> dict[str, float]:
        return {"reliefs": self.runs, "regained": self.regained}
