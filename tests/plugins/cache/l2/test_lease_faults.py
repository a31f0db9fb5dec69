"""Whatever is wrong with Redis or with what it holds, nobody waits for ever and everybody is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from redis.asyncio import Redis

from galvo_cache.l2 import client_of
from galvo_cache.l2.errors import Unavailable
from galvo_cache.l2.lease import Leases
from tests.plugins.cache.clock import turned
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.l2.lease_crowd import SLOW, crowd, gone, leases, patient, read, waiting

pytestmark = pytest.mark.anyio


async def subscribers_cut(redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.client_kill_filter(_type="pubsub")


async def killed(redis: OwnRedis) -> None:
    redis.kill()


@pytest.mark.parametrize("fault", [subscribers_cut, killed])
async def test_without_redis_everybody_reads_for_itself(
    dsn: str, own_redis: OwnRedis, fault: Callable[[OwnRedis], Awaitable[None]]
) -> None:
    async with crowd(dsn, own_redis.url, 2) as (a, b):
        patient(a, b)
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        other = read(b)
        await waiting(b)
        await fault(own_redis)
        with anyio.fail_after(10):
            assert float(await other) == 1.5
        assert not leader.done()
        stop.go.set()
        assert float(await leader) == 1.5
        if fault is killed:
            own_redis.start()
        for one in (a, b):
            await turned(lambda one=one: leases(one).listening)


async def test_what_others_write_there_is_harmless(dsn: str, own_redis: OwnRedis) -> None:
    """A lease without an end, of another type, words that nobody said."""
    async with crowd(dsn, own_redis.url, 2) as (a, b), Redis.from_url(own_redis.url) as redis:
        for number, forge in enumerate((redis.set, redis.rpush), start=1):
            stop = a.gate.stop(SLOW)
            leader = read(a, number)
            await stop.reached.wait()
            (key,) = [key async for key in redis.scan_iter("*:lease")]
            await redis.delete(key)
            await forge(key, b"x")
            channel = leases(a)._channel
            for word in (b"", b"\xff" * 1000, key, key + b"x"):
                await redis.publish(channel, word)
            with anyio.fail_after(10):
                assert float(await b.kernel.fetchval(SLOW, number)) == number * 1.5
            stop.go.set()
            assert float(await leader) == number * 1.5
            await redis.delete(key)


# -- the lease itself -------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(url: str, count: int) -> AsyncIterator[list[Leases]]:
    async def settled() -> None:
        await anyio.lowlevel.checkpoint()

    clients = [client_of(url, timeout=5.0) for _ in range(count)]
    made = [Leases(client, "test", timeout=5.0, settle=settled) for client in clients]
    async with anyio.create_task_group() as tasks:
        for one in made:
            tasks.start_soon(one.run)
        for one in made:
            await turned(lambda one=one: one.listening)
        yield made
        tasks.cancel_scope.cancel()
    for client in clients:
        await client.aclose()


async def test_only_its_holder_releases_it(own_redis: OwnRedis, redis: Redis) -> None:
    async with listening(own_redis.url, 2) as (a, b):
        former = await a.turn(b"n", 60, 60)
        assert former is not None
        await redis.delete(former.key)  # as if its time had ended
        held = await b.turn(b"n", 60, 60)
        assert held is not None
        await a._release(former)
        assert await redis.get(held.key) == held.token
        await b._release(held)
        assert not await redis.exists(held.key)
        assert await a.turn(b"n", 60, 60)


async def test_a_cancelled_question_leaves_no_lease(own_redis: OwnRedis, redis: Redis) -> None:
    async with listening(own_redis.url, 1) as (a,):
        for turns in range(12):
            asked = asyncio.create_task(a.turn(b"%d" % turns, 60, 60))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait([asked])
            if not asked.cancelled() and (held := asked.result()) is not None:
                a.release(held)
        await gone(redis)
        assert not a._waiting


async def test_nobody_asks_without_a_subscription(own_redis: OwnRedis) -> None:
    async with listening(own_redis.url, 1) as (a,):
        pass
    with pytest.raises(Unavailable):
        await a.turn(b"n", 60, 60)
    own_redis.stop()
    client = client_of(own_redis.url, timeout=0.05)

    async def settled() -> None: ...

    slow = Leases(client, "test", timeout=0.05, settle=settled)
    slow.listening = True
    with pytest.raises(Unavailable):
        await slow.turn(b"n", 60, 60)
    own_redis.go_on()
    await client.aclose()
