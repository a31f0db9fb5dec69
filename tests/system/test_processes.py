"""Several real processes with the whole stack on one PostgreSQL and one Redis: no answer is older than what is known.

`GALVO_STRESS_SECONDS=60` makes the stress longer.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import anyio.to_thread
import asyncpg
import pytest
from redis.asyncio import Redis

from galvo import GalvoError, Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.system.processes.crowd import LEASE, Crowd, hit_share
from tests.thorough import some

pytestmark = pytest.mark.anyio
LONG = "GALVO_STRESS_SECONDS" in os.environ
SECONDS = float(os.environ.get("GALVO_STRESS_SECONDS", "8"))
Fault = Callable[[Crowd, OwnRedis], Awaitable[None]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """For the whole module, as the processes live so long."""
    return "asyncio"


@pytest.fixture(scope="module")
def own_redis() -> Iterator[OwnRedis]:
    """A running Redis that the tests may break."""
    with TemporaryDirectory(prefix="galvo-test-") as folder:
        redis = OwnRedis(Path(folder))
        redis.start()
        yield redis
        redis.close()


@pytest.fixture(scope="module")
async def crowd(server_dsn: str, own_redis: OwnRedis) -> AsyncIterator[Crowd]:
    """Three processes under load. What they share at the end must be at rest."""
    with TemporaryDirectory(prefix="galvo-test-") as folder:
        async with database(server_dsn) as dsn:
            made = Crowd(dsn, own_redis.url, Path(folder))
            try:
                await made.start(3)
                yield made
                stats = await made.finish()
                assert [told["pending"] for told in stats] == [0, 0, 0]
                assert [told["releases_due"] for told in stats] == [0, 0, 0]
                assert made.alarms() == []
            finally:
                await made.close()


@asynccontextmanager
async def database(server_dsn: str) -> AsyncIterator[str]:
    name = f"processes_{os.getpid()}"
    async with connected(server_dsn) as connection:
        await connection.execute(f"create database {name}")
        yield server_dsn.replace("/postgres?", f"/{name}?")
        await connection.execute(f"drop database {name} with (force)")


@pytest.mark.timeout(SECONDS * 3 + 60)
async def test_no_answer_is_older_than_what_was_acknowledged_or_seen(crowd: Crowd) -> None:
    begin, before = time.monotonic_ns(), await crowd.counted()
    await anyio.sleep(SECONDS)
    after = await crowd.counted()
    judge = crowd.judge(begin)
    rows, every = hit_share(after, before, "item"), hit_share(after, before)
    reads, writes = judge.p99(begin, time.monotonic_ns())
    print(
        f"{len(judge.reads)} reads, {len(judge.writes)} writes; hits {every:.0%}, by row {rows:.0%}; "
        f"p99 of reads {reads:.1f} ms, of writes {writes:.1f} ms"
    )
    assert judge.errors == []
    assert judge.stale() == ([], [])
    assert len(judge.writes) > 10 * SECONDS
    assert rows > 0.2, "refusing everything is no way to be right"
    assert every > 0.15
    assert [told["members"] for told in after] == [3, 3, 3]


async def redis_killed(crowd: Crowd, redis: OwnRedis) -> None:
    redis.kill()
    await anyio.sleep(0.3)
    redis.start()


async def redis_away_for_long(crowd: Crowd, redis: OwnRedis) -> None:
    redis.kill()
    await anyio.sleep(3 * LEASE)
    redis.start()


async def redis_paused(crowd: Crowd, redis: OwnRedis) -> None:
    redis.stop()
    await anyio.sleep(2)
    redis.go_on()


async def flushed(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.flushall()


async def subscribers_cut(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.client_kill_filter(_type="pubsub")


async def all_cut(crowd: Crowd, redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.client_kill_filter(_type="pubsub")
        await client.client_kill_filter(_type="normal", skipme=True)


async def writers_killed(crowd: Crowd, redis: OwnRedis) -> None:
    await crowd.start(1, readers=0, writers=3, write_pause=0.01)
    await anyio.sleep(0.3 + random.random() * 0.3)
    crowd.workers[-1].kill()
    await anyio.to_thread.run_sync(crowd.workers[-1].wait)
    await anyio.sleep(2.5)  # for so long it may still be committing, and nobody keeps what it writes


async def reader_paused(crowd: Crowd, redis: OwnRedis) -> None:
    crowd.workers[0].send_signal(signal.SIGSTOP)
    await anyio.sleep(2 * LEASE)
    crowd.workers[0].send_signal(signal.SIGCONT)


FAULTS = [
    redis_killed,
    redis_away_for_long,
    redis_paused,
    flushed,
    subscribers_cut,
    all_cut,
    reader_paused,
    writers_killed,  # what it has left half done makes the judge a little milder afterwards
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
async def test_no_fault_makes_an_answer_old_or_reaches_a_caller(
    crowd: Crowd, own_redis: OwnRedis, fault: Fault
) -> None:
    begin = time.monotonic_ns()
    await anyio.sleep(0.3)
    await fault(crowd, own_redis)
    await anyio.sleep(2 * LEASE)
    end = time.monotonic_ns()
    share = await hits_again(crowd)
    judge = crowd.judge(begin)
    reads, writes = judge.p99(begin, end)
    print(f"{fault.__name__}: p99 of reads {reads:.1f} ms, of writes {writes:.1f} ms; hits afterwards {share:.0%}")
    assert judge.errors == []
    assert judge.stale() == ([], [])
    assert len(judge.reads) > 100


async def hits_again(crowd: Crowd) -> float:
    """Wait until a good part of the reads is answered from memory, and give that part."""
    share = 0.0
    with anyio.fail_after(15):
        while share < 0.3:
            before = await crowd.counted()
            await anyio.sleep(0.5)
            share = hit_share(await crowd.counted(), before)
    return share


WRONG: list[tuple[str, ...]] = [("nothing_announced",), ("no_lanes_but_the_key",), ("announced_but_unheard",)]
SLOW: list[tuple[str, ...]] = [("slow_to_hear",), ("hangs",)]
if LONG:
    WRONG += [("slow_to_hear", "nobody_waited_for"), ("hangs", "lease_for_ever")]


@pytest.mark.parametrize("broken", some(WRONG) + SLOW * LONG, ids=" and ".join)
async def test_the_judge_notices_what_is_broken_and_nothing_else(
    dsn: str, own_redis: OwnRedis, folder: Path, broken: tuple[str, ...]
) -> None:
    crowd = Crowd(dsn, own_redis.url, folder)
    late: list[str] = []
    back: list[str] = []
    try:
        await crowd.start(3, broken=broken, read_pause=0.004, write_pause=0.03)
        with anyio.move_on_after(30 if broken in WRONG else 5):
            while not (late or back):
                await anyio.sleep(0.5)
                await crowd.counted()
                late, back = crowd.judge().stale()
    finally:
        await crowd.close()
    print(f"{' and '.join(broken)}: {len(late)} older than acknowledged, {len(back)} than seen")
    assert bool(late or back) == (broken in WRONG)


ONE = "select v from item where id = $1"
RAISE = "update item set v = v + 1 where id = $1"


async def test_strict_invalidation_writes_nothing_that_cannot_be_announced(dsn: str, own_redis: OwnRedis) -> None:
    cache = {"redis": own_redis.url, "lease": 0.3, "strict_invalidation": True}
    async with Kernel.of({CachePlugin: cache, PoolPlugin: {"url": dsn}}) as kernel, connected(dsn) as outside:
        await outside.execute("create table item (id int primary key, v int not null); insert into item values (1, 0)")
        await written(kernel)
        assert await outside.fetchval(ONE, 1) == 1
        own_redis.kill()
        with pytest.raises(GalvoError, match="strict_invalidation"):
            await kernel.execute(RAISE, 1)
        with pytest.raises(GalvoError, match="strict_invalidation"):
            await raised_in_a_transaction(kernel)
        assert await kernel.fetchval(ONE, 1) == 1
        assert await outside.fetchval(ONE, 1) == 1
        own_redis.start()
        await written(kernel)
        await raised_in_a_transaction(kernel)
        assert await kernel.fetchval(ONE, 1) == 3
        assert await outside.fetchval(ONE, 1) == 3


async def raised_in_a_transaction(kernel: Kernel) -> None:
    async with kernel.transaction() as session:
        before = await session.fetchval(ONE, 1)
        await session.execute(RAISE, 1)
        assert await session.fetchval(ONE, 1) == before + 1


async def written(kernel: Kernel) -> None:
    """One write, as soon as it can be announced."""
    with anyio.fail_after(10):
        while True:
            try:
                await kernel.execute(RAISE, 1)
            except GalvoError:
                await anyio.sleep(0.05)
            else:
                return


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()
