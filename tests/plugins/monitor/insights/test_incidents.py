"""Incidents of real servers and processes: the right sentence within two looks, and none when it is over."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from galvo import Context, Kernel
from galvo_cache import CachePlugin
from galvo_monitor.database import Database
from galvo_monitor.insights import Gathering, Insights
from galvo_monitor.insights.words import clock
from galvo_monitor.system import Disks, Machine, System
from galvo_pool import PoolPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.monitor.insights.stand import NOW, Hearing, Numbers

pytestmark = pytest.mark.anyio
EVERY = 30.0
"""Seconds between two looks, by the clock of the test."""


class Looking:
    """Collects from a real kernel, with all that the plugin has."""

    def __init__(self, kernel: Kernel, system: System | None = None) -> None:
        self._kernel = kernel
        self._gathering, self._insights = Gathering(Context(kernel, "monitor")), Insights(interval=EVERY)
        pool = kernel.find_capability("pool")
        self.database = Database(pool.connect, log=logging.getLogger("galvo.test"), idle=0.0) if pool else None
        self._system = system
        self.numbers = Numbers()
        self.now = NOW

    async def look(self) -> list[str]:
        self.now += EVERY
        for part in (self._system, self.database):
            if part is not None:
                await part.collect(lambda *_: None)
        if (hearing := self._kernel.find_capability("hearing")) is not None:
            self.numbers.values = hearing.values(EVERY)
        facts = self._gathering.facts(self._system, self.database)
        return [one.sentence for one in self._insights.look(self.now, self.numbers, facts)]


async def until(true: Callable[[], object]) -> None:
    with anyio.fail_after(2 * EVERY):
        while not true():  # noqa: ASYNC110  # counters tell nobody
            await anyio.sleep(0.01)


async def test_an_exhausted_pool(dsn: str) -> None:
    async with Kernel.of({Hearing: {}, PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 3}}) as kernel:
        looking = Looking(kernel)
        assert looking.database is not None
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
                "all 3 connections of the pool are lent and 5 callers wait for one, seen since "
                f"{began}; 3 sessions idle in transaction for up to "
            )
            assert said.endswith(", all of this pool")
        assert await looking.look() == []
        await looking.database.close()


async def test_a_redis_that_is_paused(dsn: str, tmp_path: Path) -> None:
    redis = OwnRedis(tmp_path)
    redis.start()
    cache = {"redis": redis.url, "lease": 0.5, "redis_timeout": 0.2}
    try:
        async with Kernel.of({CachePlugin: cache, PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
            looking = Looking(kernel)
            assert looking.database is not None

            def cache_says(name: str) -> float:
                return kernel.plugin_stats("cache").get(name, -1.0)

            await until(lambda: cache_says("shares") == 1)
            assert await looking.look() == []
            redis.stop()
            await until(lambda: cache_says("away_seconds") >= 1 and cache_says("shares") == 0)
            (said,) = await looking.look()
            assert said.startswith("the cache has not reached Redis since ")
            assert said.endswith(" and answers nothing until it does")
            ran = kernel.plugin_stats("pool")["queries"]
            for _ in range(3):
                await kernel.fetch("select 1")
            assert kernel.plugin_stats("pool")["queries"] >= ran + 3, "the sentence is true"
            redis.go_on()
            await until(lambda: cache_says("away_seconds") == 0)
            assert await looking.look() == []
            await looking.database.close()
    finally:
        redis.go_on()
        redis.close()


async def test_a_disk_that_fills() -> None:
    gib = 1 << 30
    free = iter([50, 50, 50, 44, 38, 32, 32, 32, 32])
    times = iter(range(0, 3000, 30))

    def statvfs(path: str) -> Any:
        left = next(free) * gib
        return SimpleNamespace(f_frsize=1, f_blocks=100 * gib, f_bfree=left, f_bavail=left)

    system = System(Machine(), Disks(["/data"], statvfs=statvfs, clock=lambda: float(next(times))))
    async with Kernel.of({}) as kernel:
        looking = Looking(kernel, system)
        said = [await looking.look() for _ in range(9)]
    assert said[:4] == [[]] * 4
    assert said[4] == ["the disk of /data is full in 3 min at the pace of the last 60 s"]
    assert said[5] == ["the disk of /data is full in 3 min at the pace of the last 60 s"]
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
    assert sentence.startswith("memory leaks ")
    assert sentence.endswith(" an hour: objects that Python keeps")
    assert "low-water marks rise" in evidence
    assert confidence > 0.9
