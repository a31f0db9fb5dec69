"""What an operation allocates, and what is left of it: traced by tracemalloc, in a process of its own.

Python's own memory, of one version of Python: another one has objects of other sizes.
"""

from __future__ import annotations

import gc
import platform
import tracemalloc
from asyncio import selector_events
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median_low
from typing import Any

import asyncpg

from galvo import Metric
from galvo_bench.counts.galvanised import kernel
from galvo_bench.counts.paths import READ, TABLE, UNCACHED, WRITE, table
from galvo_bench.counts.wires import SUBJECT
from galvo_bench.results.model import Section, Values

WARM, TRIES, REPEATS, ROUNDS = 100, 101, 100, 2
METRIC = Metric("galvo.bench.counted", "counter", "{count}")
BUFFER = 4_096
"""Bytes that a socket is read into; asyncio's own 256 KiB would hide all else."""
EXPLAINS = (
    f"Bytes that Python allocates at most during one operation (the median of {TRIES}); bytes left of it, and objects "
    f"that only the cycle collector frees, as the mean of {REPEATS} without their fractions, at least."
)
TITLE = f"allocations, Python {'.'.join(platform.python_version_tuple()[:2])}"
SMALL = ("L1 hit", "fetchrow, L1 hit", "cached()", "take and give back")
"""What asks nobody. Of the others something is left for a while: samples of statements, times."""
Operation = Callable[[], Awaitable[Any]]


async def measure(postgres: str, redis: str, root: Path) -> list[Section]:
    """One section."""
    selector_events._SelectorSocketTransport.max_size = BUFFER  # type: ignore[attr-defined]  # of asyncio
    async with (
        table(postgres),
        kernel(root, postgres) as made,
        asyncpg.create_pool(postgres, min_size=1, max_size=1) as stock,
    ):
        pool = made.find_capability("pool")._pool()

        async def value() -> Any:
            return await made.cached("counted", lambda: made.fetchval(READ, 1), depends_on=[f"{TABLE}"])

        async def record() -> None:
            made.record(METRIC, 1)

        async def take(pool: Any) -> None:
            async with pool.acquire():
                pass

        operations: dict[str, Operation] = {
            "L1 hit": lambda: made.fetch(READ, 1),
            "fetchrow, L1 hit": lambda: made.fetchrow(READ, 1),
            "cached()": value,
            "record": record,
            "uncached": lambda: made.fetch(UNCACHED, 1),
            "uncached, asyncpg.Pool": lambda: stock.fetch(UNCACHED, 1),
            "write": lambda: made.execute(WRITE, 1),
            "take and give back": lambda: take(pool),
            "the same, asyncpg.Pool": lambda: take(stock),
        }
        rows = []
        for name, operation in operations.items():
            peak, left, garbage = await _allocated(operation)
            values: dict[str, float] = {"peak": peak, "garbage": garbage}
            rows.append(Values(name, values | ({"left": left} if name in SMALL else {})))
    return [Section(SUBJECT, TITLE, EXPLAINS, [*rows])]


async def _allocated(operation: Operation) -> tuple[int, int, int]:
    """Peak, left, garbage."""
    for _ in range(WARM):
        await operation()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(TRIES):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            await operation()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
        # Once in a while more is left: a list of samples grows, a count passes 256. Of two times the less is told.
        left, garbage = [], []
        gc.collect()
        for _ in range(ROUNDS):
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(REPEATS):
                await operation()
            garbage.append(gc.collect())
            left.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
        gc.enable()
    return median_low(peaks), int(min(left) / REPEATS), min(garbage) // REPEATS
