"""Incidents of real servers and processes: the right sentence within two looks, and none when it is over."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from galvo import Context, Kernel, Metric, Plugin, hookimpl
from galvo_cache import CachePlugin
from galvo_monitor.cells import Registry
from galvo_monitor.collecting.reading import with_totals
from galvo_monitor.database import Database
from galvo_monitor.insights import Gathering, Insights
from galvo_monitor.insights.words import clock
from galvo_monitor.store import Store
from galvo_monitor.system import Disks, Machine, System
from galvo_pool import PoolPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.monitor.insights.stand import NOW

pytestmark = pytest.mark.anyio
EVERY = 30.0
"""Seconds between two looks, by the clock of the test."""


class Cells(Plugin):
    """Hears what is recorded."""

    name = "cells"
    provides = ("cells",)

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.registry = Registry()
        self.calm = False
        """Nothing takes longer than on a machine with nothing else to do: there is a usual time to differ from."""

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.registry.record(metric, min(value, 0.002) if self.calm and metric.unit == "s" else value)


class Looking:
    """Collects from a real kernel, with all that the plugin has."""

    def __init__(self, kernel: Kernel, system: System | None = None) -> None:
        self._kernel = kernel
        self._gathering, self._insights = Gathering(Context(kernel, "monitor")), Insights(interval=EVERY)
        pool = kernel.find_capability("pool")
        self.database = Database(pool.connect, log=logging.getLogger("galvo.test"), idle=0.0) if pool else None
        self._system = system
        self._registry = kernel.find_capability("cells").registry
        self._store, self._kept = Store(interval=EVERY, most=256), self._registry.read(NOW)
        self.now = NOW

    async def usual(self, also: Callable[[], None] = lambda: None) -> None:
        """Queries of a calm time, and `also` before each look at them."""
        cells = self._kernel.find_capability("cells")
        cells.calm = True
        for _ in range(25):
            for _ in range(20):
                await self._kernel.fetch("select 1")
            also()
            await self.look()
        cells.calm = False

    async def look(self) -> list[str]:
        self.now += EVERY
        for part in (self._system, self.database):
            if part is not None:
                await part.collect(self._registry.record)
        older, self._kept = self._kept, self._registry.read(self.now)
        self._store.append(self.now, with_totals(self._kept).since(with_totals(older)))
        facts = self._gathering.facts(self._system, self.database)
        return [one.sentence for one in self._insights.look(self.now, self._store, facts)]


@asynccontextmanager
async def collecting(
    plugins: Mapping[type[Plugin], dict[str, Any]], system: System | None = None
) -> AsyncIterator[tuple[Kernel, Looking]]:
    async with Kernel.of({Cells: {}, **plugins}) as kernel:
        looking = Looking(kernel, system)
        try:
            yield kernel, looking
        finally:
            if looking.database is not None:
                await looking.database.close()


async def until(true: Callable[[], object]) -> None:
    with anyio.fail_after(2 * EVERY):
        while not true():  # noqa: ASYNC110  # counters tell nobody
            await anyio.sleep(0.01)


async def test_an_exhausted_pool(dsn: str) -> None:
    async with collecting({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 3}}) as (kernel, looking):
        await kernel.fetch("select 1")
        assert await looking.look() == []
        async with anyio.create_task_group() as tasks, AsyncExitStack() as stack:
            for _ in range(3):
                session = await stack.enter_async_context(kernel.transaction())
                await session.fetch("select 1")
            for _ in range(5):
                tasks.start_soon(kernel.fetch, "select 2")
            await until(lambda: kernel.plugin_stats("pool")["waiting"] == 5)
            began = clock(looking.now + EVERY, looking.now)
            await looking.look()
            (said,) = await looking.look()
            assert said.startswith(
                "All 3 connections of the pool are lent and 5 callers wait for one, seen since "
                f"{began}; 3 sessions idle in transaction for up to "
            )
            assert said.endswith(", all of this pool")
        assert await looking.look() == []


async def test_queries_that_are_slow_because_they_wait_for_the_pool(dsn: str) -> None:
    """And somebody has forgotten a transaction."""
    async with collecting({PoolPlugin: {"url": dsn, "min_size": 3, "max_size": 3}}) as (kernel, looking):

        async def crowd() -> None:
            async with anyio.create_task_group() as tasks:
                for _ in range(60):
                    tasks.start_soon(kernel.fetch, "select pg_sleep(0.01)")

        await looking.usual()
        said: list[str] = []
        async with kernel.transaction() as forgotten:
            await forgotten.fetch("select 1")
            for _ in range(2):
                await crowd()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(crowd)
                    await until(lambda: kernel.plugin_stats("pool")["waiting"] > 20)
                    said = await looking.look()
        assert re.fullmatch(
            r"Query p95 up \d+x to [\d.]+ m?s since \d\d:\d\d; "
            r"all 3 connections of the pool are lent and \d+ callers wait for one(, seen since \d\d:\d\d)?; "
            r"\d\d % of the query time is pool wait; "
            r"1 session idle in transaction for up to [\d.]+ m?s, of this pool.*",
            said[0],
        ), said
        await looking.look()  # of the interval in which the crowd went
        assert await looking.look() == []


async def test_a_redis_that_is_paused(dsn: str, tmp_path: Path) -> None:
    redis = OwnRedis(tmp_path)
    redis.start()
    cache = {"redis": redis.url, "lease": 0.5, "redis_timeout": 0.2}
    try:
        async with collecting({CachePlugin: cache, PoolPlugin: {"url": dsn, "min_size": 1}}) as (kernel, looking):

            def cache_says(name: str) -> float:
                return kernel.plugin_stats("cache").get(name, -1.0)

            await until(lambda: cache_says("shares") == 1)
            assert await looking.look() == []
            redis.stop()
            await until(lambda: cache_says("away_seconds") >= 1 and cache_says("shares") == 0)
            (said,) = await looking.look()
            assert said.startswith("The cache has not reached Redis since ")
            assert said.endswith(" and answers nothing until it does")
            ran = kernel.plugin_stats("pool")["queries"]
            for _ in range(3):
                await kernel.fetch("select 1")
            assert kernel.plugin_stats("pool")["queries"] >= ran + 3, "the sentence is true"
            redis.go_on()
            await until(lambda: cache_says("away_seconds") == 0)
            assert await looking.look() == []
    finally:
        redis.go_on()
        redis.close()


async def test_queries_that_are_slow_because_the_disk_is(dsn: str, tmp_path: Path) -> None:
    """The server sleeps, and the kernel's account of waiting is of the test's."""
    times, waited = [0.0], [0.0]

    def later(seconds: float) -> None:
        times[0] += EVERY
        waited[0] += seconds
        (tmp_path / "io").write_text(f"some avg10=0.00 avg60=0.00 avg300=0.00 total={int(waited[0] * 1e6)}\n")

    system = System(Machine(pressure=tmp_path, clock=lambda: times[0]), Disks([]))
    plugins = {PoolPlugin: {"url": dsn, "min_size": 20, "max_size": 20}}
    async with collecting(plugins, system) as (kernel, looking):
        await looking.usual(lambda: later(0.6))
        said: list[str] = []
        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                for _ in range(100):  # so many that the p95 tells, however slow this machine is
                    tasks.start_soon(kernel.fetch, "select pg_sleep(0.1)")
            later(18.0)
            said = await looking.look()
        assert len(said) == 1
        lead, *beside = said[0].split("; ")
        assert re.fullmatch(r"Query p95 up \d+x to [\d.]+ m?s since \d\d:\d\d", lead)
        assert f"some tasks waited for I/O 60 % of the time since {lead[-5:]}, usually 2.0 %" in beside


async def test_a_disk_that_fills() -> None:
    gib = 1 << 30
    free = iter([50, 50, 50, 44, 38, 32, 32, 32, 32])
    times = iter(range(0, 3000, 30))

    def statvfs(path: str) -> Any:
        left = next(free) * gib
        return SimpleNamespace(f_frsize=1, f_blocks=100 * gib, f_bfree=left, f_bavail=left)

    system = System(Machine(), Disks(["/data"], statvfs=statvfs, clock=lambda: float(next(times))))
    async with collecting({}, system) as (_, looking):
        said = [await looking.look() for _ in range(9)]
    assert said[:4] == [[]] * 4
    assert said[4] == ["The disk of /data is full in 3 min at the pace of the last 60 s"]
    assert said[5] == ["The disk of /data is full in 3 min at the pace of the last 60 s"]
    assert said[8] == [], "it has stopped"


@pytest.mark.parametrize("what", ["list", "nothing"])
def test_a_leak_in_a_child(what: str, project: Path) -> None:
    """Within two looks of the memory plugin's verdict, which takes a quarter of an hour."""
    words = [sys.executable, "-m", "tests.plugins.monitor.insights.leaking_child", what]
    told = json.loads(subprocess.run(words, cwd=project, check=True, capture_output=True, timeout=100).stdout)
    if what == "nothing":
        assert told == {"known": None, "said": []}
        return
    number, sentence, evidence, confidence = told["said"][0]
    assert told["known"] <= number <= told["known"] + 2 * EVERY / 5
    assert sentence.startswith("Memory leaks ")
    assert sentence.endswith(" an hour: objects that Python keeps")
    assert "low-water marks rise" in evidence
    assert confidence > 0.9
