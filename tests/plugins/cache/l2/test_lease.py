"""Several processes that miss one dear answer at once: one reads it, and none gets less than it would have alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import asyncpg
import pytest
from redis.asyncio import Redis

from galvo_cache import early, second
from tests.plugins.cache.clock import turned
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.l2.lease_crowd import SLOW, calls, crowd, gone, leases, patient, read, reading, total, waiting
from tests.plugins.cache.loading import LoaderPlugin, again, loader
from tests.plugins.cache.situations.situation import Situation
from tests.plugins.cache.stand import RAISE

pytestmark = pytest.mark.anyio


async def test_many_tasks_of_many_processes_are_one_query(dsn: str, own_redis: OwnRedis) -> None:
    async with crowd(dsn, own_redis.url, more=(LoaderPlugin,)) as made:
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

        patient(*made)
        for one in made:  # whoever has the lease asks for the same from within
            loader(one).ask = again(one)
        assert {float(answer) for answer in await asyncio.gather(*(read(one, 2) for one in made))} == {3}
        assert await calls(made[0]) == before + 2
        assert sorted(loader(one).asked for one in made) == [[], [], [SLOW]]
        async with Redis.from_url(own_redis.url) as redis:
            await turned(lambda: not any(leases(one)._waiting for one in made))
            await gone(redis)


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
