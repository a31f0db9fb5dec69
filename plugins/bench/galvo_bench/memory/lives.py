"""What is left when something is started, used and stopped, again and again: `python -m galvo_bench.memory.lives WAY`.

Reads its server from standard input, as JSON; it needs a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from galvo import Kernel, Level, MemoryPressure
from galvo_bench.memory.answers import READ, stack

TASKS = 10

WARM = 3

Mark = Callable[[str], None]
Life = Callable[[Mark], Awaitable[None]]


async def used(ask: Callable[[int], Awaitable[Any]], answers: int) -> None:
    """Several at once ask for different answers."""
    numbers = iter(range(1, answers + 1))

    async def some() -> None:
        for number in numbers:
            await ask(number)

    await asyncio.gather(*(some() for _ in range(TASKS)))


@asynccontextmanager
async def plain(url: str, answers: int) -> AsyncIterator[Life]:
    async def life(mark: Mark) -> None:
        async with asyncpg.create_pool(url, min_size=2, max_size=TASKS) as pool:
            mark("running")
            await used(lambda number: pool.fetch(READ, number), answers)
            mark("full")
            await pool.expire_connections()
            mark("relieved")

    yield life


@asynccontextmanager
async def cashews(url: str, answers: int) -> AsyncIterator[Life]:
    from cashews import Cache

    async with asyncpg.create_pool(url, min_size=TASKS, max_size=TASKS) as pool:

        async def life(mark: Mark) -> None:
            cache = Cache()
            cache.setup("mem://", size=answers)
            mark("running")

            async def ask(number: int) -> None:
                await cache.set(f"material:{number}", await pool.fetch(READ, number), expire=3600)

            await used(ask, answers)
            mark("full")
            await cache.clear()
            mark("relieved")
            await cache.close()

        yield life


@asynccontextmanager
async def galvo(url: str, answers: int) -> AsyncIterator[Life]:
    async def life(mark: Mark) -> None:
        async with stack(url) as kernel:
            mark("running")
            await _used_and_relieved(kernel, answers, mark)

    yield life


@asynccontextmanager
async def reloaded(url: str, answers: int) -> AsyncIterator[Life]:
    """The kernel goes on: a life is a cache between two reloads."""
    changes = count(1)
    async with stack(url) as kernel:

        async def life(mark: Mark) -> None:
            mark("running")
            await _used_and_relieved(kernel, answers, mark)
            overrides: Any = {
                "pool": {"url": url},
                "embedded": {"on": False},
                "cache": {"max_bytes": (64 << 20) - next(changes)},
            }
            if await kernel.reload(overrides) != ["cache"]:
                raise SystemExit("the reload has not changed the cache")

        yield life


async def _used_and_relieved(kernel: Kernel, answers: int, mark: Mark) -> None:
    await used(lambda number: kernel.fetch(READ, number), answers)
    mark("full")
    await kernel.relieve(MemoryPressure(Level.CRITICAL))
    mark("relieved")


WAYS: dict[str, Callable[[str, int], AbstractAsyncContextManager[Life]]] = {
    "plain": plain, "cashews": cashews, "galvo": galvo, "reloaded": reloaded,
}  # fmt: skip


def collected() -> None:
    """All that can be; the memory plugin freezes what lives long, and thaws it only when memory is short."""
    gc.unfreeze()
    gc.collect()


def owned() -> dict[str, int]:
    """What this process has: bytes and objects of Python's, descriptors, threads, tasks."""
    collected()
    descriptors = Path("/proc/self/fd")
    return {
        "bytes": tracemalloc.get_traced_memory()[0],
        "objects": len(gc.get_objects()),
        "files": len(os.listdir(descriptors)) if descriptors.exists() else 0,
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
    }


async def lived(life: Life, lives: int) -> dict[str, float]:
    """Median bytes of each stage above those of a process that has lived before, and what each more life leaves.

    A few come first and are not counted: caches are full then, and what one life takes over from another is traced.
    """
    stages: dict[str, list[int]] = {}
    ends = []

    def mark(stage: str) -> None:
        collected()
        stages.setdefault(stage, []).append(tracemalloc.get_traced_memory()[0])

    await life(lambda _: None)  # loads modules, which takes three times as long when it is traced
    tracemalloc.start()
    for _ in range(WARM):
        await life(lambda _: None)
    ends.append(owned())
    for _ in range(lives):
        await life(mark)
        ends.append(owned())
    first, last = ends[0], ends[-1]
    base = median(end["bytes"] for end in ends)
    told = {stage: median(found) - base for stage, found in stages.items()}
    return {**told, **{name: (last[name] - first[name]) / lives for name in first}}


async def main(way: str, url: str, answers: int, lives: int) -> dict[str, float]:
    async with WAYS[way](url, answers) as life:
        return await lived(life, lives)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], **json.load(sys.stdin)))))
