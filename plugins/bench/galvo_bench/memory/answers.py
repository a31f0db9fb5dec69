"""What one operation allocates, in a process of its own: `python -m galvo_bench.memory.answers WAY`.

Reads its servers and its picture from standard input, as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from statistics import median
from typing import Any

import asyncpg

from galvo import Kernel, Metric
from galvo_memory.allocator import heap

READ = "select id, name, price from bench_material where id between $1 and $1 + 19"
UNCACHED = READ.replace(" from", ", random() from")
METRIC = Metric("bench.answers", "histogram", "s", (("bench.kind", "answer"),))
WARM = 600
"""Operations before anything is counted: the monitor adds up its records 512 at a time."""
KEPT = 200
PEAKS = 25

Operation = Callable[[], Awaitable[Any]]


@asynccontextmanager
async def stack(url: str) -> AsyncIterator[Kernel]:
    """The whole default stack."""
    overrides: Any = {"pool": {"url": url}, "embedded": {"on": False}}
    async with Kernel.from_settings(overrides=overrides) as kernel:
        yield kernel


@asynccontextmanager
async def plain(url: str, picture: str) -> AsyncIterator[Operation]:
    async with asyncpg.create_pool(url, min_size=2) as pool:
        yield partial(pool.fetch, UNCACHED, 7)


@asynccontextmanager
async def uncached(url: str, picture: str) -> AsyncIterator[Operation]:
    async with stack(url) as kernel:
        yield partial(kernel.fetch, UNCACHED, 7)


@asynccontextmanager
async def hit(url: str, picture: str) -> AsyncIterator[Operation]:
    async with stack(url) as kernel:
        yield partial(kernel.fetch, READ, 7)


@asynccontextmanager
async def cashews(url: str, picture: str) -> AsyncIterator[Operation]:
    from cashews import Cache

    cache = Cache()
    cache.setup("mem://")
    async with asyncpg.create_pool(url, min_size=2) as pool:
        await cache.set("material:7", await pool.fetch(READ, 7), expire=3600)
    yield partial(cache.get, "material:7")
    await cache.close()


@asynccontextmanager
async def record(url: str, picture: str) -> AsyncIterator[Operation]:
    async with stack(url) as kernel:

        async def operation() -> None:
            kernel.record(METRIC, 0.001)

        yield operation


@asynccontextmanager
async def observe(url: str, picture: str) -> AsyncIterator[Operation]:
    from prometheus_client import CollectorRegistry, Histogram

    histogram = Histogram("bench", "Of the benchmark.", ["kind"], registry=CollectorRegistry()).labels("answer")

    async def operation() -> None:
        histogram.observe(0.001)

    yield operation


@asynccontextmanager
async def image(url: str, picture: str) -> AsyncIterator[Operation]:
    from galvo_memory.images import thumbnail

    yield partial(thumbnail, picture, width=80)


@asynccontextmanager
async def pillow(url: str, picture: str) -> AsyncIterator[Operation]:
    from galvo_bench.memory.image_ways import WAYS

    yield partial(WAYS["naive"], picture, 80)


WAYS: dict[str, Callable[[str, str], AbstractAsyncContextManager[Operation]]] = {
    "plain": plain, "uncached": uncached, "hit": hit, "cashews": cashews, "record": record, "observe": observe,
    "image": image, "pillow": pillow,
}  # fmt: skip
SLOW = ("image", "pillow")
"""A tenth as often."""


async def allocated(operation: Operation, times: int) -> dict[str, float]:
    """Of one operation. Blocks are Python's small objects; the heap is what malloc gave to C libraries, too."""
    for _ in range(min(WARM, times)):
        await operation()
    gc.collect()
    blocks, used = sys.getallocatedblocks(), _used()
    for _ in range(times):
        await operation()
    gc.collect()
    left = {"left": (sys.getallocatedblocks() - blocks) / times, "left B": (_used() - used) / times}
    answers: list[Any] = [None] * min(KEPT, times)
    blocks = sys.getallocatedblocks()
    for number in range(len(answers)):
        answers[number] = await operation()
    held = (sys.getallocatedblocks() - blocks) / len(answers)
    answers[:] = [None] * len(answers)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(len(answers)):
        answers[number] = await operation()
    kept = (tracemalloc.get_traced_memory()[0] - before) / len(answers)
    answers.clear()
    return {"peak B": await _peak(operation), "held B": kept, "objects": held, **left}


async def _peak(operation: Operation) -> float:
    """Bytes of Python's at its peak, above those before."""
    peaks = []
    gc.collect()
    gc.freeze()
    for _ in range(PEAKS):
        gc.collect()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        await operation()
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    return median(peaks)


def _used() -> int:
    """Bytes; always 0 where malloc does not tell."""
    found = heap()
    return found.used if found else 0


async def main(way: str, url: str, picture: str, times: int) -> dict[str, float]:
    async with WAYS[way](url, picture) as operation:
        return await allocated(operation, max(20, times // 10) if way in SLOW else times)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], **json.load(sys.stdin)))))
