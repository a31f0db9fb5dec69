"""Whoever cancels a kernel that is stopping does not want to wait any longer: it ends at once, and leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from galvo import Kernel, Plugin

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Only asyncio's tasks can be cancelled past a scope's shield."""
    return "asyncio"


class Slow(Plugin):
    """Does not stop by itself."""

    name = "slow"
    stopping: asyncio.Event

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield
            type(self).stopping.set()
            await anyio.sleep_forever()


class Other(Plugin):
    name = "other"
    after = ("slow",)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("more", [1, 3])
async def test_a_second_cancellation_ends_it(more: int) -> None:
    Slow.stopping, started = asyncio.Event(), asyncio.Event()
    kernel = Kernel.of({Slow: {}, Other: {}}, stop_timeout=1000, drain_timeout=1000)

    async def host() -> None:
        async with kernel:
            started.set()
            await asyncio.sleep(1000)

    before = asyncio.all_tasks()
    task = asyncio.create_task(host())
    await started.wait()
    task.cancel()
    await Slow.stopping.wait()
    for _ in range(more):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task], timeout=60)
    assert task.cancelled()
    assert asyncio.all_tasks() - before == set()
    assert not kernel.running
