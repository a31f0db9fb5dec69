"""Several real processes, real PostgreSQL as the truth: no answer is older than an acknowledged write."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import asyncpg
import pytest
from redis.asyncio import Redis

from tests.plugins.cache.coherence.crowd import Crowd
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.thorough import THOROUGH, some

pytestmark = pytest.mark.anyio
SECONDS = float(os.environ.get("COHERENCE_SECONDS", "10" if THOROUGH else "5"))
Fault = Callable[[Crowd, OwnRedis], Awaitable[None]]


@pytest.fixture
async def crowd(dsn: str, own_redis: OwnRedis, folder: Path) -> AsyncIterator[Crowd]:
    made = Crowd(dsn, own_redis.url, folder)
    yield made
    await made.close()


@pytest.mark.timeout(SECONDS + 60)
async def test_no_answer_is_older_than_an_acknowledged_write_or_an_earlier_answer(crowd: Crowd) -> None:
    await crowd.start(3)
    await anyio.sleep(SECONDS)
    stats = await crowd.finish()
    late, back, writes = crowd.judged()
    assert late == []
    assert back == []
    assert writes > 10 * SECONDS
    assert sum(told["hits"] for told in stats) > 100 * SECONDS, "nothing was cached, so nothing was tested"
    assert all(told["acked"] > writes / 4 for told in stats), "the others were not asked"
    assert [told["pending_remote"] for told in stats] == [0, 0, 0]


async def redis_killed(crowd: Crowd, redis: OwnRedis) -> None:
    redis.kill()
    await anyio.sleep(0.3)
    redis.start()


async def redis_away_for_long(crowd: Crowd, redis: OwnRedis) -> None:
    redis.kill()
    await anyio.sleep(1.5)
    redis.start()


async def redis_restored(crowd: Crowd, redis: OwnRedis) -> None:
    """The snapshot has members, stamps and marks of the past."""
    async with Redis.from_url(redis.url) as client:
        await client.save()
    await anyio.sleep(0.2)
    redis.kill()
    redis.start()


async def redis_paused(crowd: Crowd, redis: OwnRedis) -> None:
    redis.stop()
    await anyio.sleep(0.3)
    redis.go_on()


async def redis_paused_for_long(crowd: Crowd, redis: OwnRedis) -> None:
    redis.stop()
    await anyio.sleep(1.2)
    redis.go_on()


async def flushed(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.flushall()


async def subscribers_cut(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.client_kill_filter(_type="pubsub")


async def commands_cut(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.client_kill_filter(_type="normal", skipme=True)


async def member_paused(crowd: Crowd, redis: OwnRedis) -> None:
    worker = crowd.workers[0]
    worker.send_signal(signal.SIGSTOP)
    await anyio.sleep(1.2)
    worker.send_signal(signal.SIGCONT)


async def garbage(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        for message in (b"", b"\xff" * 100, b"\x95\xa1f", b"x" * 300_000):
            await client.publish("{gv:crowd}:w", message)


FAULTS = {
    "redis away": (redis_killed, redis_away_for_long, redis_restored, redis_paused, redis_paused_for_long),
    "redis there": (flushed, subscribers_cut, commands_cut, garbage, member_paused),
}
"""None of them ends a process: one start is enough for several, one after another."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_no_fault_makes_an_answer_older_than_an_acknowledged_write(
    crowd: Crowd, own_redis: OwnRedis, faults: tuple[Fault, ...]
) -> None:
    await crowd.start(3)
    before, hits = 0, 0.0
    for fault in faults:
        for _ in some(range(2)):
            await anyio.sleep(0.7)
            await fault(crowd, own_redis)
        await anyio.sleep(2)
        stats = await crowd.told()
        late, _, writes = crowd.judged()
        assert late == [], fault.__name__
        assert writes - before > 20, fault.__name__
        assert sum(told["hits"] for told in stats) - hits > 200, fault.__name__
        before, hits = writes, sum(told["hits"] for told in stats)
        with anyio.fail_after(30):
            while any(told["releases_due"] for told in await crowd.told()):  # noqa: ASYNC110  # they tell only when they are asked
                await anyio.sleep(0.1)
    stats = await crowd.finish()
    late, _, _ = crowd.judged()
    assert late == []
    assert [told["releases_due"] for told in stats] == [0, 0, 0]


async def test_a_writer_killed_after_its_commit_is_believed_to_be_committing_until_it_cannot(
    crowd: Crowd, dsn: str
) -> None:
    await crowd.start(1, readers=0, writers=0)
    await crowd.start(2, writers=0)
    await anyio.sleep(0.3)
    crowd.say(crowd.workers[0], "hang 0")
    assert await crowd.line(crowd.workers[0]) == "committed"
    crowd.workers[0].kill()
    committed = time.monotonic_ns()
    await anyio.sleep(3)
    stats = await crowd.finish()
    _, back, _ = crowd.judged()
    assert back == []
    reads = [line.split() for path in crowd._folder.glob("notes-[12]") for line in path.read_text().splitlines()]
    after = [int(value) for _, key, value, begin, _ in reads if key == "0" and int(begin) > committed]
    assert len(after) > 50
    assert set(after) == {1}
    assert [told["pending_remote"] for told in stats] == [0, 0], "the dead writer's mark was never taken back"
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select v from kv where k = 0") == 1
    await connection.close()
