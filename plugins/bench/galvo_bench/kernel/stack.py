"""What is timed of the whole default stack, on the PostgreSQL that GALVO_POOL__URL names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from galvo import Kernel
from galvo_bench.kernel.hot_path import READ, SCHEMA
from galvo_bench.kernel.layers import METRIC, Asked, Called, item


@asynccontextmanager
async def running() -> AsyncIterator[Kernel]:
    """With a table, as long as it runs. Raises PluginError."""
    async with Kernel.from_settings(overrides={"embedded": {"on": False}}) as kernel:
        await kernel.execute(SCHEMA)
        try:
            yield kernel
        finally:
            await kernel.execute("drop table bench_material")


@asynccontextmanager
async def hit() -> AsyncIterator[Asked]:
    async with running() as kernel:
        yield partial(kernel.fetch, READ, 7)


@asynccontextmanager
async def cached() -> AsyncIterator[Asked]:
    async with running() as kernel:
        yield partial(kernel.cached, "bench:7", item, depends_on=["bench_material"])


@asynccontextmanager
async def uncached() -> AsyncIterator[Asked]:
    """A query that no cache may keep, so that it reaches the server."""
    async with running() as kernel:
        yield partial(kernel.fetch, "select random()")


@asynccontextmanager
async def record() -> AsyncIterator[Called]:
    async with running() as kernel:
        yield partial(kernel.record, METRIC, 0.001)
