"""A plugin with all four hooks, a background task and a file of its own that keeps all promises passes every check."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from pydantic import Field, SecretStr

from galvo import Context, Freed, Level, MemoryPressure, Metric, Plugin, PluginSettings, Proceed, Query, Rows, hookimpl
from galvo.testing import PluginContract
from galvo.testing.leaks import Leaks


class GoodSettings(PluginSettings):
    path: str = Field("/dev/null", description="A file that it keeps open.")
    api_token: SecretStr = Field(SecretStr(""), description="To get in.")
    most: int = Field(100, gt=0, description="How many counts it keeps.")


class Good(Plugin):
    name = "good"
    settings_type = GoodSettings

    def __init__(self, settings: GoodSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.counts: Counter[str] = Counter()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        file = os.open(self.settings.path, os.O_RDONLY)
        try:
            async with anyio.create_task_group() as tasks:
                await anyio.lowlevel.checkpoint()
                tasks.start_soon(anyio.sleep_forever)
                yield
                await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        finally:
            os.close(file)

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        await anyio.lowlevel.checkpoint()
        rows = await proceed(query.with_(timeout=9, sql=f"/* good */ {query.sql}"))
        await anyio.lowlevel.checkpoint()
        return rows

    @hookimpl
    async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        await anyio.lowlevel.checkpoint()
        return None

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.counts[metric.name if len(self.counts) < self.settings.most else "the rest"] += 1

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        await anyio.lowlevel.checkpoint()
        if pressure.level is Level.NORMAL:
            return None
        freed = 50 * len(self.counts)
        self.counts.clear()
        return Freed(freed, "counts")

    async def explain(self, query: Query) -> dict[str, Any] | None:
        return {"length": len(query.sql)}

    def stats(self) -> dict[str, float]:
        return {"counts": len(self.counts)}


class TestGood(PluginContract):
    plugin = Good
    changed = {"most": 5}
    hostile_settings = ({"path": "/no/such/file"}, {"most": 0})

    @pytest.fixture
    def settings(self, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "kept").touch()
        return {"path": str(tmp_path / "kept"), "api_token": "of the kit"}


class TestThoroughly(TestGood):
    thorough = True


class Threaded(Good):
    """Its start and its stop wait for threads."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with await anyio.open_file(self.settings.path):
            yield


class TestThreaded(TestGood):
    plugin = Threaded
    injected = False


class Lasting(Plugin):
    """What it keeps is no leak: a cache that is full after some starts, arguments of what it logs, a call in a thread.

    The thread still works when it has stopped, with as much memory each time as there is of starts.
    """

    name = "lasting"
    starts = 0
    cache = b""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        type(self).starts += 1
        self.context.log.warning("%s starts with %s", self, bytearray(4_000))
        if self.starts == 5:
            type(self).cache = bytes(bytearray(16_000))
        yield
        threading.Thread(target=working, args=(bytearray(4_000 * self.starts),)).start()


def working(with_this: bytearray) -> None:
    time.sleep(0.02)  # a call that cannot be broken off
    del with_this


class TestLasting(Leaks):
    plugin = Lasting
