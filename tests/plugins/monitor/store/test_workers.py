"""Real processes, one of them killed: what they have told is what is counted, and it never goes backwards."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.monitor.store.crowd import Crowd, gathered, queries
from tests.plugins.monitor.store.worker import INTERVAL, PACE, STEP

pytestmark = pytest.mark.anyio


async def start(url: str, project: Path) -> Process:
    words = ("-m", "tests.plugins.monitor.store.worker", url)
    return await asyncio.create_subprocess_exec(sys.executable, *words, stdin=PIPE, stdout=PIPE, cwd=project)


async def said(worker: Process) -> int:
    """The last that it has told, 0 if it was killed before; it has ended."""
    assert worker.stdout is not None
    told = (await worker.stdout.read()).split()
    await worker.wait()
    return int(told[-1]) if told else 0


class Watching:
    def __init__(self, crowd: Crowd) -> None:
        self.process = crowd.join(interval=INTERVAL)
        self.total = 0.0

    async def until(self, processes: int) -> float:
        """The total, once there are as many; it has not gone backwards meanwhile."""
        while True:
            merged = await self.process.exchange()
            assert merged.problem is None
            assert queries(merged.now) >= self.total
            self.total = queries(merged.now)
            if merged.processes == processes:
                return self.total
            await asyncio.sleep(PACE)


async def test_workers_that_end_and_one_that_is_killed(folder: Path, project: Path) -> None:
    redis = OwnRedis(folder)
    redis.start()
    workers: list[Process] = []
    try:
        async with gathered(redis.url) as crowd:
            watching = Watching(crowd)
            workers += [await start(redis.url, project) for _ in range(3)]
            await watching.until(4)
            killed, *others = workers
            killed.kill()
            told = await said(killed)
            await watching.until(3)
            for worker in others:
                assert worker.stdin is not None
                worker.stdin.close()
            rest = sum([await said(worker) for worker in others])
            total = await watching.until(1)
            # It may have been killed between telling others and telling us.
            assert told + rest <= total <= told + rest + STEP
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        redis.close()
