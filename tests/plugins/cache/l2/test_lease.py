"""Several processes that miss one dear answer at once: one reads it, and none gets less than it would have alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import anyio
import asyncpg
import pytest
from redis.asyncio import Redis

from galvo_cache import early, second
from galvo_cache.l2 import client_of
from galvo_cache.l2.errors import Unavailable
from galvo_cache.l2.lease import Leases
from tests.plugins.cache.clock import turned
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import Situation, shared, two
from tests.plugins.cache.stand import RAISE

pytestmark = pytest.mark.anyio
SLOW = "select slow(price) from material where id = $1"
SETUP = """
create sequence calls;
create function slow(numeric) returns numeric stable language plpgsql as $$
begin
    perform nextval('calls'), pg_sleep(0.1);
    return $1;
end $$;
"""


@asynccontextmanager
async def crowd(dsn: str, url: str, count: int = 3, **cache: Any) -> AsyncIterator[list[Situation]]:
    """Kernels that share a Redis and know what the slow statement costs."""
    async with AsyncExitStack() as stack:
        made: list[Situation] = []
        for _ in range(count):
            again: dict[str, Any] = {"schema": None} if made else {"setup": SETUP}
            settings = shared(url, **{"ttl": 600, "lease": 0.5, "reads": {"slow": []}, **cache})
            made.append(await stack.enter_async_context(two(dsn, cache=settings, min_size=2, **again)))
        for one in made:
            await one.awake()
            await turned(lambda one=one: leases(one).listening)
            await turned(one.kernel.find_capability("cache")._sharing.coherence._may_share)  # L2 is believed
            await one.kernel.fetchval(SLOW, 5)
        yield made


def reading(one: Situation) -> Any:
    return one.kernel.find_capability("cache")._reading


def leases(one: Situation) -> Leases:
    found: Leases = reading(one).second.leases
    return found


async def calls(one: Situation) -> int:
    """How often the slow function has run on the server."""
    return int(await one.admin.fetchval("select last_value from calls"))


async def waiting(one: Situation) -> None:
    await turned(lambda: leases(one)._waiting)


def read(one: Situation, number: int = 1) -> asyncio.Task[Any]:
    return asyncio.create_task(one.kernel.fetchval(SLOW, number))


def total(crowd: list[Situation], counter: str) -> float:
    return sum(one[counter] for one in crowd)


async def test_many_tasks_of_many_processes_are_one_query(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url) as made:
        before = await calls(made[0])
        answers = await asyncio.gather(*(one.kernel.fetchval(SLOW, 1) for one in made for _ in range(20)))
        assert {float(answer) for answer in answers} == {1.5}
        assert await calls(made[0]) == before + 1
        assert total(made, "lease_waits") == total(made, "lease_hits") == 2
        assert total(made, "joined") >= 57
        reached = [one.ran(SLOW) for one in made]
        for one in made:
            assert float(await one.kernel.fetchval(SLOW, 1)) == 1.5
        assert [one.ran(SLOW) for one in made] == reached, "each of them keeps it"
        async with Redis.from_url(own_redis.url) as redis:
            await turned(lambda: not any(leases(one)._waiting for one in made))
            await gone(redis)


async def gone(redis: Redis) -> None:
    with anyio.fail_after(10):
        while [key async for key in redis.scan_iter("*:lease")]:  # noqa: ASYNC110  # released in the background
            await anyio.sleep(0.005)


async def test_the_cost_is_known_from_what_others_left(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url) as made:
        assert made[1].ran(SLOW) == 0
        for one in made:
            assert one.kernel.find_capability("cache")._plans.get(SLOW).cost.value >= 0.1


async def test_cheap_statements_ask_nobody(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url, 2, lease_min=5.0) as made:
        before = await calls(made[0])
        await asyncio.gather(*(read(one) for one in made))
        assert await calls(made[0]) == before + 2
        assert total(made, "lease_waits") == 0


async def test_background_reads_take_turns_too(dsn: str, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer in Redis is taken for a new one, unless its own time is nearly over."""
    monkeypatch.setattr(early, "random", SimpleNamespace(expovariate=lambda _: 1.0))
    async with crowd(dsn, own_redis.url, 2) as made:
        for passed, runs in ((0, 0), (599.99, 1)):
            for one in made:
                await one.kernel.fetchval(SLOW, 1)
            before, refreshed = await calls(made[0]), total(made, "refreshed_early")
            monkeypatch.setattr(second, "time", lambda passed=passed: time.time() + passed)
            for one in made:
                entry = one.kernel.find_capability("cache")._plans.get(SLOW).one[(1,)]
                entry.expires, entry.cost = 0.0, 1e9
                assert float(await one.kernel.fetchval(SLOW, 1)) == 1.5
            await turned(lambda refreshed=refreshed: total(made, "refreshed_early") == refreshed + 2)
            assert await calls(made[0]) == before + runs
        assert total(made, "lease_waits") == total(made, "lease_hits") == 1


Fate = Callable[[Situation, asyncio.Task[Any]], Awaitable[None]]


async def cancelled(leader: Situation, task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def failed(leader: Situation, task: asyncio.Task[Any]) -> None:
    await leader.admin.execute("alter table material rename to gone")
    leader.gate.stops[-1].go.set()
    with pytest.raises(asyncpg.UndefinedTableError):
        await task
    await leader.admin.execute("alter table gone rename to material")


@pytest.mark.parametrize("fate", [cancelled, failed])
async def test_a_leader_that_fails_says_so(dsn: str, own_redis: OwnRedis, fate: Fate) -> None:
    async with crowd(dsn, own_redis.url, 2) as (a, b):
        patient(a, b)
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        follows = b.gate.stop(SLOW)
        other = read(b)
        await waiting(b)
        before = await calls(a)
        await fate(a, leader)
        with anyio.fail_after(10):
            await follows.reached.wait()
        follows.go.set()
        assert float(await other) == 1.5
        assert await calls(a) == before + 1
        assert (b["lease_waits"], b["lease_hits"]) == (1, 0)


def patient(*crowd: Situation, cost: float = 60.0) -> None:
    """They believe the statement to be dearer than any test lasts: a lease has no end, and only the word wakes."""
    for one in crowd:
        one.kernel.find_capability("cache")._plans.get(SLOW).cost.value = cost


async def test_a_leader_that_vanishes_is_waited_for_until_its_lease_ends(dsn: str, own_redis: OwnRedis) -> None:
    """Nothing of it reaches Redis any more."""
    async with crowd(dsn, own_redis.url, 3) as (a, b, c):
        patient(b, c)
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        others = [read(b), read(c)]
        await waiting(b)
        await waiting(c)
        async with Redis.from_url(own_redis.url) as redis:
            (key,) = [key async for key in redis.scan_iter("*:lease")]
            assert 0 < await redis.pttl(key) <= 2000
            reading(a).second.leases._tasks = None  # so it cannot say anything
            leader.cancel()
            with anyio.fail_after(10):
                assert [float(answer) for answer in await asyncio.gather(*others)] == [1.5, 1.5]
            assert total([b, c], "lease_waits") == 2


async def test_nobody_waits_longer_than_twice_the_cost(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url, 2) as (a, b):
        patient(a)
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        with anyio.fail_after(20):  # a's lease lasts two minutes
            assert float(await b.kernel.fetchval(SLOW, 1)) == 1.5
        assert not leader.done()
        assert b["lease_waits"] == 1
        stop.go.set()
        await leader


@pytest.mark.parametrize("after", [False, True])
async def test_an_invalidation_while_they_wait(dsn: str, own_redis: OwnRedis, after: bool) -> None:
    """Those who wait began before the write; what they get is from after it all the same."""
    async with crowd(dsn, own_redis.url, 3) as (a, b, c):
        patient(a, b)
        stop = a.gate.stop(SLOW, after=after)
        leader = read(a)
        await stop.reached.wait()
        other = read(b)
        await waiting(b)
        await c.kernel.execute(RAISE, 1)
        with anyio.fail_after(10):
            assert float(await c.kernel.fetchval(SLOW, 1)) == 2.5, "who begins after it waits for nobody from before"
        assert c["lease_waits"] == 0
        assert not other.done()
        stop.go.set()
        assert float(await leader) == (1.5 if after else 2.5)
        with anyio.fail_after(10):
            assert float(await other) == 2.5
        assert float(await b.fresh(SLOW, 1)) == float(await a.fresh(SLOW, 1)) == 2.5


async def test_an_invalidation_between_the_store_and_the_word(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url, 3) as (a, b, c):
        patient(a, b)
        said = anyio.Event()
        settle = leases(a)._settle

        async def late() -> None:
            await settle()
            await said.wait()

        leases(a)._settle = late
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        other = read(b)
        await waiting(b)
        stop.go.set()
        assert float(await leader) == 1.5
        await settle()
        await c.kernel.execute(RAISE, 1)
        said.set()
        with anyio.fail_after(10):
            assert float(await other) == 2.5
        assert (b["lease_waits"], b["lease_hits"]) == (1, 0)


async def test_the_word_comes_after_the_answer(dsn: str, own_redis: OwnRedis) -> None:
    """However long it takes to reach Redis."""
    async with crowd(dsn, own_redis.url, 2) as (a, b):
        patient(a, b)
        link = reading(a).second._shelf._coalescer._link
        send = link.set

        def late(*args: Any) -> None:
            asyncio.get_running_loop().call_later(0.1, send, *args)

        link.set = late
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        other = read(b)
        await waiting(b)
        before = await calls(a)
        stop.go.set()
        assert float(await leader) == float(await other) == 1.5
        assert await calls(a) == before + 1
        assert (b["lease_waits"], b["lease_hits"]) == (1, 1)


async def test_a_timeout_of_the_callers_own_leaves_time_to_read(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url, 2) as (a, b):
        stop = a.gate.stop(SLOW)
        leader = read(a)
        await stop.reached.wait()
        for cost, waits in ((0.2, 0), (0.12, 1)):
            patient(b, cost=cost)
            plan = b.kernel.find_capability("cache")._plans.get(SLOW)
            plan.generation += 1
            assert float(await b.kernel.fetchval(SLOW, 1, timeout=0.4)) == 1.5
            assert b["lease_waits"] == waits
        assert 0 < b.gate.seen[-1].timeout < 0.4
        stop.go.set()
        await leader


# -- faults of Redis --------------------------------------------------------------------------------------


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
