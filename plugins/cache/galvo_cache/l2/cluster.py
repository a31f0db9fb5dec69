"""A Redis Cluster as the coalescer sees it: redis-py knows the topology and sends one pipeline to each node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from redis.asyncio import RedisCluster

from galvo_cache.l2.errors import Unavailable
from galvo_cache.l2.link import Item
from galvo_cache.l2.wire import Done, Reply


class ClusterLink:
    """Commands in the background, one task for a batch. It bounds values only after they were read."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        self._running: dict[asyncio.Task[None], Done] = {}
        self._ready: Callable[[], None] = lambda: None
        self._closed = False

    def watch(self, ready: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        self._ready = ready

    @property
    def ready(self) -> bool:
        return not self._closed

    def dial(self) -> None:
        """redis-py does it with the first command."""

    def get(self, keys: Sequence[bytes], limit: int, done: Done) -> None:
        self._start(self._run([("GET", key) for key in keys]), done)

    def lengths(self, keys: Sequence[bytes], done: Done) -> None:
        self._start(self._run([("STRLEN", key) for key in keys]), done)

    def set(self, items: Sequence[Item], done: Done) -> None:
        self._start(self._run([("SET", key, value, "PX", ttl) for key, value, ttl in items]), done)

    def abort(self, error: Exception) -> None:
        """What is under way has failed. Its connections end by their own timeout: redis-py cannot be interrupted."""
        running, self._running = self._running, {}
        for done in running.values():
            done(error)

    async def aclose(self) -> None:
        self._closed = True
        tasks = list(self._running)
        self.abort(Unavailable("the connection to Redis was closed"))
        if tasks:
            await asyncio.wait(tasks)

    def _start(self, work: Coroutine[Any, Any, list[Reply]], done: Done) -> None:
        async def run() -> None:
            replies: list[Reply] | Exception
            try:
                replies = await work
                if replies and all(isinstance(reply, Exception) for reply in replies):
                    replies = Unavailable(f"the cluster refuses everything ({type(replies[0]).__name__})")
            except Exception as error:  # noqa: BLE001  # whatever redis-py raises when nodes are away
                replies = Unavailable(f"the cluster did not answer ({type(error).__name__})")
            if task in self._running:
                del self._running[task]
                done(replies)

        task = asyncio.get_running_loop().create_task(run())
        self._running[task] = done

    async def _run(self, commands: list[tuple[Any, ...]]) -> list[Reply]:
        pipeline = self._client.pipeline()
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute(raise_on_error=False))
