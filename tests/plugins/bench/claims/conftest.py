"""A stand on the servers of this test run, for as few rounds as tell anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from redis import Redis

from galvo_bench.claims import judging
from galvo_bench.running.stand import Stand
from galvo_embedded import Servers


class Small(Stand):
    def __init__(self, postgres: str, redis: str) -> None:
        super().__init__(postgres, rounds=2)
        self._redis = redis

    async def redis(self) -> str:
        return self._redis

    async def redis_of(self, name: str) -> str:
        return self._redis


class Clock:
    """Goes on by what is planted, and by the same for all else: a busy machine makes nothing late."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1e-4
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is judged here is judged of two."""
    monkeypatch.setattr(judging, "LEAST", 1)


@pytest.fixture
def stand(server_dsn: str, servers: Servers) -> Iterator[Stand]:
    redis = asyncio.run(servers.redis())
    yield Small(server_dsn, redis)
    with Redis.from_url(redis) as client:
        client.flushall()
