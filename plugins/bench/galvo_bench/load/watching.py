"""Memory over time: what processes hold, looked at while others measure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import perf_counter

from galvo_bench.load.processes import Child
from galvo_bench.results.model import Point

EVERY = 1.0
"""Seconds between two looks, which take a few milliseconds."""


@asynccontextmanager
async def watched(children: Mapping[str, Child]) -> AsyncIterator[dict[str, list[Point]]]:
    """By name: seconds from now, and MiB; complete when the block has ended."""
    began = perf_counter()
    found: dict[str, list[Point]] = {name: [] for name in children}

    def look() -> None:
        for name, one in children.items():
            found[name].append((perf_counter() - began, one.rss_mib()))

    async def watch() -> None:
        while True:
            await asyncio.sleep(EVERY)
            look()

    look()
    watching = asyncio.create_task(watch())
    try:
        yield found
    finally:
        watching.cancel()
        await asyncio.wait([watching])
    look()
