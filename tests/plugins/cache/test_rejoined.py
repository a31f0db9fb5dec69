"""A cache that comes back to Redis: what was written while nobody told of it makes useless what is kept there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import asyncpg
import pytest
from msgspec.structs import replace
from pydantic import SecretStr
from redis.asyncio import Redis

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_embedded import Servers
from galvo_pool import PoolPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.stand import Stand, locked, standing
from tests.thorough import some

pytestmark = pytest.mark.anyio
DEAR = "select sum(m.price) from material m, generate_series(1, 20000) g"
RAISE = "update material set price = price + 1"
LATE = RAISE + " where id = 5"
CACHE: dict[str, Any] = {"lease": 0.2, "warm": 0, "ttl": 600}
Change = Callable[[Stand, str], Awaitable[None]]


async def until(holds: Callable[[], Any]) -> None:
    while not holds():  # noqa: ASYNC110  # it has no event
        await anyio.sleep(0.01)


async def left_in_redis(stand: Stand) -> None:
    """Leave the answer of DEAR in Redis, and nothing else."""
    await until(lambda: stand["shares"])
    while not stand["l2_writes"]:
        await stand.kernel.execute("update material set price = price where id = 1")
        await stand.kernel.fetchval(DEAR)
        await anyio.sleep(0.01)


async def reload(stand: Stand, **changes: Any) -> None:
    """Give the cache other settings."""
    old = [unit.blueprint for unit in stand.kernel.supervisor.units.values()]
    await stand.kernel.supervisor.reload(
        replace(one, settings=one.settings.model_copy(update=changes)) if one.name == "cache" else one for one in old
    )


async def disabled(stand: Stand, redis: str) -> None:
    await stand.kernel.disable("cache")


async def enabled(stand: Stand, redis: str) -> None:
    await stand.kernel.enable("cache")


async def taken_from_the_chain(stand: Stand, redis: str) -> None:
    await reload(stand, mode="off")


async def put_into_the_chain(stand: Stand, redis: str) -> None:
    await reload(stand, mode="active")


async def alone(stand: Stand, redis: str) -> None:
    await reload(stand, redis=SecretStr(""))


async def elsewhere(stand: Stand, redis: str) -> None:
    await reload(stand, namespace="elsewhere")


async def back(stand: Stand, redis: str) -> None:
    await reload(stand, namespace="", redis=SecretStr(redis))


async def ejected(stand: Stand, redis: str) -> None:
    stand.kernel.supervisor.eject(stand.kernel.supervisor.units["cache"])


AWAY: dict[str, tuple[Change, Change]] = {
    "disabled": (disabled, enabled),
    "no redis": (alone, back),
    "ejected": (ejected, enabled),
    "mode off": (taken_from_the_chain, put_into_the_chain),
    "another namespace": (elsewhere, back),
}


@pytest.mark.parametrize("how", some(AWAY, 3))
async def test_nothing_from_before_is_answered_when_the_cache_is_back(how: str, dsn: str, servers: Servers) -> None:
    leave, come = AWAY[how]
    redis = await servers.redis()
    async with standing(dsn, {**CACHE, "redis": redis}) as stand:
        await left_in_redis(stand)
        await leave(stand, redis)
        await stand.kernel.execute(RAISE)
        late = stand.gate.stop(LATE)  # it ends when the cache is back
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stand.kernel.execute, LATE)
            await late.reached.wait()
            stand.hurry()
            await come(stand, redis)
            await until(lambda: stand["shares"])
            await stand.fresh(DEAR)
            late.go.set()
        assert stand.ran(LATE) == 1
        await stand.fresh(DEAR)
        await until(lambda: stand["shares"])
        await stand.fresh(DEAR)
        assert stand["hits_l2"] == 0


@pytest.mark.parametrize("mode", ["active", "shadow"])
async def test_a_reload_and_another_process_find_what_was_left(mode: str, dsn: str, servers: Servers) -> None:
    redis = await servers.redis()
    async with standing(dsn, {**CACHE, "redis": redis, "mode": mode}) as stand:
        await left_in_redis(stand)
        await reload(stand, ttl=500, mode="active")
        await until(lambda: stand["shares"])
        await stand.fresh(DEAR)
        assert stand["hits_l2"] == 1
        async with Kernel.of({CachePlugin: {**CACHE, "redis": redis}, PoolPlugin: {"url": dsn}}) as other:
            await until(lambda: other.plugin_stats("cache").get("shares"))
            await other.fetchval(DEAR)
            assert other.plugin_stats("cache")["hits_l2"] == 1
            await stand.kernel.disable("cache")
            await stand.kernel.execute(RAISE)
            await stand.kernel.enable("cache")
            await until(lambda: stand["shares"])
            assert await other.fetchval(DEAR) == await stand.truth(DEAR)


async def test_what_one_instance_could_not_tell_the_next_one_tells(dsn: str, own_redis: OwnRedis) -> None:
    async with standing(dsn, {**CACHE, "redis": own_redis.url}) as stand, Redis.from_url(own_redis.url) as admin:
        await left_in_redis(stand)
        await admin.acl_setuser("default", enabled=True, commands=["-eval", "-evalsha"])
        await stand.kernel.execute(RAISE)
        assert stand["unannounced"] > 0
        await admin.acl_setuser("default", enabled=True, commands=["+eval", "+evalsha"])
        await reload(stand, ttl=500)
        await until(lambda: stand["shares"])
        await stand.fresh(DEAR)
        assert stand["hits_l2"] == 0


async def test_a_write_that_is_cancelled_beside_a_shadow_may_still_happen(dsn: str) -> None:
    async with standing(dsn, {"mode": "shadow"}) as stand:
        await stand.kernel.fetchval(DEAR)
        held = stand.gate.stop(RAISE)
        task = asyncio.create_task(stand.kernel.execute(RAISE))
        await held.reached.wait()
        assert stand["pending"] == 1
        task.cancel()
        await asyncio.wait([task])
        assert stand["pending"] == 1


@pytest.mark.parametrize("ends", ["well", "badly"])
async def test_a_write_under_way_when_the_pool_is_replaced_is_taken_back_at_its_end(
    ends: str, dsn: str, servers: Servers
) -> None:
    """By whoever announced it, though it has left by then: nobody has to wait for `unknown_outcome`."""
    cache = {**CACHE, "redis": await servers.redis(), "unknown_outcome": 600}
    sql = LATE if ends == "well" else LATE.replace("price + 1", "price / (price - price)")
    async with standing(dsn, cache) as stand:
        await until(lambda: stand["shares"])
        held = stand.gate.stop(sql)
        task = asyncio.create_task(stand.kernel.execute(sql))
        await held.reached.wait()
        stand.kernel.find_capability("cache").reset()  # what a pool says that has taken another's place
        await until(lambda: stand["shares"])
        assert stand["pending_remote"] == 1  # not before its end
        held.go.set()
        assert (await asyncio.gather(task, return_exceptions=True) == ["UPDATE 1"]) is (ends == "well")
        with anyio.fail_after(20):
            await until(lambda: not stand["pending_remote"])
        await until(lambda: stand["shares"])
        await stand.warm(DEAR)
        assert await stand.kernel.fetchval(DEAR) == await stand.truth(DEAR)


async def test_a_write_of_unknown_end_stays_pending_when_the_pool_is_replaced(dsn: str, servers: Servers) -> None:
    cache = {**CACHE, "redis": await servers.redis(), "unknown_outcome": 600}
    async with standing(dsn, cache) as stand:
        reset = stand.kernel.find_capability("cache").reset
        await until(lambda: stand["shares"])
        await stand.other.execute(f"begin; {LATE}")
        task = asyncio.create_task(stand.kernel.execute(LATE))
        await locked(stand.other)
        reset()
        await until(lambda: stand["shares"])
        await stand.other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
        with pytest.raises(asyncpg.PostgresError):
            await task
        for _ in range(2):
            assert stand["pending_remote"] == 1
            reset()
            await until(lambda: stand["shares"])
