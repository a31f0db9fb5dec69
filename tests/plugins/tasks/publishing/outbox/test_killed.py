"""Relays that are killed at random: nothing is lost, and on Redis nothing is doubled."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import asyncpg
import pytest
from redis import Redis

from galvo_tasks.outbox import outbox
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.publishing.conftest import until
from tests.plugins.tasks.stand import PROJECT
from tests.thorough import THOROUGH

pytestmark = pytest.mark.anyio
TASKS, KILLS, AT_ONCE = (5000, 25, 2) if THOROUGH else (500, 2, 1)
QUEUE = "test.quick\x06\x165"


class Relays:
    def __init__(self, dsn: str, broker: str) -> None:
        self._words = [sys.executable, "-m", "tests.plugins.tasks.publishing.outbox.relaying", dsn, broker]
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._running.append(subprocess.Popen(self._words, cwd=PROJECT, stdout=subprocess.PIPE))

    def kill(self) -> None:
        process = self._running.pop(0)
        process.kill()
        process.communicate()

    def close(self) -> None:
        while self._running:
            self.kill()


async def test_relays_that_are_killed(dsn: str, own_redis: OwnRedis, noted: Any, redis: Redis) -> None:
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        jobs = [await outbox(connection, noted, (f"{n}",)) for n in range(TASKS)]
    relays, chance = Relays(dsn, own_redis.url), random.Random(7)
    try:
        for _ in range(AT_ONCE):
            relays.start()
        for n in range(1, KILLS + 1):
            goal = chance.randrange((n - 1) * TASKS // KILLS, n * TASKS // KILLS)
            await until(lambda goal=goal: redis.llen(QUEUE) > goal)  # type: ignore[misc]
            relays.kill()
            relays.start()
        while await connection.fetchval("select count(*) from galvo.task_outbox"):
            await connection.execute("select pg_sleep(0.01)")
    finally:
        relays.close()
    published = Counter(json.loads(raw)["headers"]["id"] for raw in redis.lrange(QUEUE, 0, -1))
    assert published == Counter(job.id for job in jobs)
    await connection.close()
