"""A worker with a Redis of its own, and tasks that wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread
from redis.asyncio import Redis

from galvo_bench.running.stand import Stand
from galvo_bench.tasks.workers import Way, Worker


class Loaded:
    """`fill` while it is paused, `drain` until all are done."""

    def __init__(self, way: Way, worker: Worker, redis: Redis, tasks: int) -> None:
        self.way, self.worker, self.redis, self._tasks = way, worker, redis, tasks

    async def fill(self) -> None:
        """Ask for as many tasks as there are in a round; none is begun."""
        self.worker.pause()
        await to_thread.run_sync(self._ask)

    async def drain(self) -> None:
        self.worker.go_on()
        await to_thread.run_sync(self.worker.until, self.worker.done)

    def _ask(self) -> None:
        task = getattr(self.worker.jobs, self.way.task)
        for _ in range(self._tasks - 1):
            task.apply_async()
        self.worker.jobs.last.apply_async()


@asynccontextmanager
async def loaded(stand: Stand, ways: Sequence[Way], tasks: int, processes: int) -> AsyncIterator[list[Loaded]]:
    """All of them, ready. Those that do not work just now cost the others nothing."""
    made: list[Loaded] = []
    try:
        for number, way in enumerate(ways):
            url = await stand.redis_of(f"tasks{number}")
            redis = Redis.from_url(url)
            await redis.flushdb()
            made.append(Loaded(way, Worker(way, url, processes=processes), redis, tasks))
        for one in made:
            await to_thread.run_sync(one.worker.until_ready)
        await anyio.sleep(0.5)  # past what a start does once
        yield made
    finally:
        for one in made:
            one.worker.close()
            await one.redis.flushdb()
            await one.redis.aclose()
