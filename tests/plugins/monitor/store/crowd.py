"""Processes that share their numbers, as far as one test process can hold them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from galvo import Metric
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.store.client import client_of
from galvo_monitor.store.sharing import Merged, Sharing

QUERIES = Metric("queries")
LAG = Metric("galvo.loop.lag", "histogram", "s")
SIZE = Metric("size", "gauge", "By")
KEY = b"k" * 32
INTERVAL = 60.0
"""Seconds: long, so that only what a test makes old is old."""


class Process:
    """Its clock is a number that the test moves; Redis has a clock of its own, see `Crowd.age`."""

    def __init__(self, url: str, *, key: bytes = KEY, interval: float = INTERVAL, timeout: float = 5.0) -> None:
        self.client = client_of(url, timeout=timeout)
        self.now = 0.0
        self.sharing = Sharing(
            self.client, namespace="test", key=key, interval=interval, timeout=timeout, clock=lambda: self.now
        )
        self.registry = Registry()
        self.at = 1_800_000_000.0
        self.counted = 0
        self.told = 0
        """What it had counted when it last talked to Redis."""

    def reload(self) -> Sharing:
        """Gives the one before; both count the same."""
        older = self.sharing
        self.sharing = Sharing(
            self.client, namespace="test", key=KEY, interval=INTERVAL, timeout=5.0, clock=lambda: self.now, older=older
        )
        return older

    @property
    def name(self) -> str:
        return self.sharing._name

    def count(self, queries: int = 1) -> None:
        self.registry.record(QUERIES, queries)
        self.counted += queries
        for _ in range(queries):
            self.registry.record(LAG, 0.001)

    def snapshot(self) -> Snapshot:
        self.at += 30
        self.registry.record(SIZE, 100)
        return self.registry.read(self.at)

    async def exchange(self) -> Merged:
        merged = await self.sharing.exchange(self.snapshot())
        if merged.problem is None:
            self.told = self.counted
        return merged

    async def leave(self) -> None:
        await self.sharing.leave(self.snapshot())
        self.told = self.counted


class Crowd:
    def __init__(self, url: str, redis: Redis) -> None:
        self.url = url
        self.redis = redis
        self.processes: list[Process] = []

    def join(self, **options: float) -> Process:
        self.processes.append(process := Process(self.url, **options))  # type: ignore[arg-type]
        return process

    def key(self, name: str) -> str:
        return f"galvo:monitor:{{test}}:{name}"

    async def age(self, process: Process) -> None:
        """As if it had been silent for more than three intervals."""
        await self.redis.pexpire(self.key(process.name), int(INTERVAL * 3000) - 1000)


@asynccontextmanager
async def gathered(url: str) -> AsyncIterator[Crowd]:
    async with Redis.from_url(url) as redis:
        crowd = Crowd(url, redis)
        try:
            yield crowd
        finally:
            for process in crowd.processes:
                await process.client.aclose()


def queries(snapshot: Snapshot) -> float:
    """The counter; the histogram must have counted the same."""
    counters = dict(snapshot.counters)
    lags = dict(snapshot.histograms)
    count = lags[LAG].count if LAG in lags else 0
    assert counters.get(QUERIES, 0) == count
    return counters.get(QUERIES, 0)


def last(merged: Merged) -> float:
    """What the last interval has counted."""
    assert merged.before is not None
    return queries(merged.now) - queries(merged.before)
