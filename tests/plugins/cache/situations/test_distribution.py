"""50 to 52 and 54 to 56: several processes and their Redis."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from decimal import Decimal

import anyio
import anyio.lowlevel
import pytest
from redis.asyncio import Redis

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import ASKED, Situation, shared, two, until
from tests.plugins.cache.stand import PRICE, RAISE

pytestmark = pytest.mark.anyio


OLD, NEW = [(Decimal("1.50"),)], [(Decimal("2.50"),)]


async def test_50_reply_and_push_in_any_order(dsn: str, own_redis: OwnRedis) -> None:
    """After one process's write was acknowledged, the other one's readers see it, however busy they are."""
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a, two(dsn, schema=None, cache=cache) as b:
        await a.awake()
        await b.awake()
        done = False

        async def read() -> None:
            while not done:
                for sql in ASKED:
                    await b.kernel.fetch(sql)
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(read)
            for _ in range(100):
                price = await a.kernel.fetchval(RAISE + " returning price", 1)
                assert await b.kernel.fetchval(PRICE, 1) == price
                assert await a.kernel.fetchval(PRICE, 1) == price
                assert await b.kernel.fetchval(ASKED[0]) == price
            done = True
        for sql in ASKED:
            await a.kept(sql)
            await b.kept(sql)


async def test_50_transactions_schema_and_unknown_code_reach_the_other(dsn: str, own_redis: OwnRedis) -> None:
    """Every kind of write does, and a write to another table leaves the other process's answers."""
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a, two(dsn, schema=None, cache=cache) as b:
        await a.awake()
        await b.awake()
        for write in (
            "begin; update material set price = price + 1; commit", "delete from material where id = 2",
            "do $$ begin update material set price = price + 1; end $$", "truncate material cascade",
            "alter table material add column more int default 1",
        ):  # fmt: skip
            for sql in ASKED:
                await b.kept(sql)
            await a.write(write)
            for sql in ASKED:
                await b.right(sql)
        for sql in ASKED:
            await b.kept(sql)
        await a.write("insert into log(line) values ('x')")
        for sql in ASKED:
            await b.still_kept(sql)


async def lost_stamps(redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        gone = [key async for key in client.scan_iter() if b":e:" not in key]
        if gone:
            await client.delete(*gone)


async def flushed(redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.flushall()


@pytest.mark.parametrize("lose", [lost_stamps, flushed])
async def test_51_lost_stamps_resurrect_nothing(
    dsn: str, own_redis: OwnRedis, lose: Callable[[OwnRedis], Awaitable[None]]
) -> None:
    """Stamps that were evicted start anew; entries made under older ones stay dead."""
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a:
        await a.awake()
        for _ in range(3):
            for sql in ASKED:
                await a.right(sql)
            await lose(own_redis)
            await a.write(RAISE, 1)
            await lose(own_redis)
            for sql in ASKED:
                await a.right(sql)
            async with two(dsn, schema=None, cache=cache) as fresh:
                for sql in ASKED:
                    await fresh.right(sql)
        async with two(dsn, schema=None, cache=cache) as b:
            await b.awake()
            await until(lambda: both_see(a, b))
            for sql in ASKED:
                await until(lambda sql=sql: serves(a, sql))  # type: ignore[misc]
                await until(lambda sql=sql: serves(b, sql))  # type: ignore[misc]


async def serves(s: Situation, sql: str) -> bool:
    """Right, and from memory; on a busy machine a lease may end meanwhile."""
    await s.right(sql)
    before = s.ran(sql)
    await s.kernel.fetch(sql)
    return s.ran(sql) == before


async def both_see(a: Situation, b: Situation) -> bool:
    """A write of each reaches the other."""
    await a.write(RAISE, 1)
    first = await b.kernel.fetchval(PRICE, 1) == await b.truth(PRICE, 1)
    await b.write(RAISE, 1)
    return first and await a.kernel.fetchval(PRICE, 1) == await a.truth(PRICE, 1)


@pytest.mark.parametrize("shift", [-3600.0, 3600.0])
async def test_52_the_wall_clock_is_set(dsn: str, monkeypatch: pytest.MonkeyPatch, shift: float) -> None:
    """Nothing depends on it: an hour back or forth between store, write and read."""
    real = time.time
    async with two(dsn) as s:
        for clock in (lambda: real() + shift, real, lambda: real() - shift):
            await s.kept(PRICE, 1)
            monkeypatch.setattr(time, "time", clock)
            await s.still_kept(PRICE, 1)
            await s.write(RAISE, 1)
            await s.kept(PRICE, 1)


async def test_52_two_processes_with_two_clocks(dsn: str, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer's clock is an hour off while it writes."""
    real = time.time
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a, two(dsn, schema=None, cache=cache) as b:
        await a.awake()
        await b.awake()
        for shift in (-3600, 3600):
            await b.kept(PRICE, 1)
            monkeypatch.setattr(time, "time", lambda shift=shift: real() + shift)
            await a.write(RAISE, 1)
            await b.right(PRICE, 1)
            monkeypatch.setattr(time, "time", real)
            await a.right(PRICE, 1)
            await b.kept(PRICE, 1)


async def pushes_cut(redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        await client.client_kill_filter(_type="pubsub")


async def everything_cut(redis: OwnRedis) -> None:
    async with Redis.from_url(redis.url) as client:
        for kind in ("pubsub", "normal"):
            await client.client_kill_filter(_type=kind, skipme=True)


async def frozen(redis: OwnRedis) -> None:
    """A half-open socket: nothing arrives, and nothing says so."""
    redis.stop()


async def killed(redis: OwnRedis) -> None:
    redis.kill()


@pytest.mark.parametrize("fault", [pushes_cut, everything_cut, frozen])
async def test_54_a_lost_push(dsn: str, own_redis: OwnRedis, fault: Callable[[OwnRedis], Awaitable[None]]) -> None:
    """Any doubt clears: no reader is behind a write that was acknowledged, and later both hit again."""
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a, two(dsn, schema=None, cache=cache) as b:
        await a.awake()
        await b.awake()
        for sql in ASKED:
            await b.kept(sql)
        await fault(own_redis)
        for _ in range(3):
            await a.write(RAISE, 1)
            for sql in ASKED:
                await b.right(sql)
        if fault is frozen:
            own_redis.go_on()
        await a.awake()
        await b.awake()
        await until(lambda: both_see(a, b))
        for sql in ASKED:
            await b.kept(sql)


async def test_55_redis_is_down_when_a_write_ends(dsn: str, own_redis: OwnRedis) -> None:
    """Written while it is away, before, within and after a transaction; and then it comes back empty."""
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a, two(dsn, schema=None, cache=cache) as b:
        await a.awake()
        await b.awake()
        for sql in ASKED:
            await b.kept(sql)
        async with a.kernel.transaction() as session:
            await session.execute(RAISE, 1)
            await killed(own_redis)
        for sql in ASKED:
            await b.right(sql)
        await a.write(RAISE, 1)
        for sql in ASKED:
            await a.right(sql)
            await b.right(sql)
        own_redis.start()
        for sql in ASKED:
            await b.right(sql)
        await a.awake()
        await b.awake()
        await until(lambda: both_see(a, b))
        for sql in ASKED:
            await b.kept(sql)


async def test_55_strict_invalidation_raises_before_commit(dsn: str, own_redis: OwnRedis) -> None:
    """Asked for, a write that cannot be announced is not made."""
    async with two(dsn, cache=shared(own_redis.url, strict_invalidation=True)) as a:
        await a.awake()
        await a.write(RAISE, 1)
        await killed(own_redis)
        with pytest.raises(Exception, match="announced"):
            async with a.kernel.transaction() as session:
                await session.execute(RAISE, 1)
        assert await a.right(PRICE, 1) == NEW


async def test_56_stamps_roll_back(dsn: str, own_redis: OwnRedis) -> None:
    """Redis comes back with the stamps and entries of before the write, as a lagging replica would."""
    cache = shared(own_redis.url)
    async with two(dsn, cache=cache) as a:
        await a.awake()
        for sql in ASKED:
            await a.right(sql)
        async with Redis.from_url(own_redis.url) as client:
            await client.save()
        await a.write(RAISE, 1)
        for sql in ASKED:
            await a.right(sql)
        own_redis.kill()
        own_redis.start()
        async with two(dsn, schema=None, cache=cache) as b:
            for sql in ASKED:
                await b.right(sql)
                await a.right(sql)
            await a.awake()
            await b.awake()
            for sql in ASKED:
                await a.kept(sql)
                await b.kept(sql)
