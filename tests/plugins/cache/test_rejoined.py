"""A cache that comes back to Redis: what was written while nobody told of it makes useless what is kept there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_embedded import Servers
from galvo_pool import PoolPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.stand import Stand, standing

pytestmark = pytest.mark.anyio
DEAR = "select sum(m.price) from material m, generate_series(1, 20000) g"
RAISE = "update material set price = price + 1"
CACHE: dict[str, Any] = {"lease": 0.2, "warm": 0, "ttl": 600}
Change = Callable[[Stand], Awaitable[None]]


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


async def disabled(stand: Stand) -> None:
    await stand.kernel.disable("cache")


async def enabled(stand: Stand) -> None:
    await stand.kernel.enable("cache")


async def taken_from_the_chain(stand: Stand) -> None:
    await reload(stand, mode="off")


async def put_into_the_chain(stand: Stand) -> None:
    await reload(stand, mode="active")


async def alone(stand: Stand) -> None:
    await reload(stand, redis=type(stand.kernel.supervisor.units["cache"].blueprint.settings.redis)(""))


async def elsewhere(stand: Stand) -> None:
    await reload(stand, namespace="elsewhere")


async def back(stand: Stand) -> None:
    await reload(stand, namespace="", redis=stand.redis)  # type: ignore[attr-defined]


async def ejected(stand: Stand) -> None:
    stand.kernel.supervisor.eject(stand.kernel.supervisor.units["cache"])


AWAY = {
    "disabled": (disabled, enabled),
    "mode off": (taken_from_the_chain, put_into_the_chain),
    "no redis": (alone, back),
    "another namespace": (elsewhere, back),
    "ejected": (ejected, enabled),
}


@pytest.mark.parametrize("how", AWAY)
async def test_nothing_from_before_is_answered_when_the_cache_is_back(how: str, dsn: str, servers: Servers) -> None:
    leave, come = AWAY[how]
    async with standing(dsn, {**CACHE, "redis": await servers.redis()}) as stand:
        stand.redis = stand.kernel.supervisor.units["cache"].blueprint.settings.redis  # type: ignore[attr-defined]
        await left_in_redis(stand)
        await leave(stand)
        await stand.kernel.execute(RAISE)
        late = stand.gate.stop(RAISE + " where id = 5")  # it ends when the cache is back
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stand.kernel.execute, late_sql := RAISE + " where id = 5")
            await late.reached.wait()
            stand.kernel.settings = stand.kernel.settings.model_copy(update={"drain_timeout": 0.1})
            await come(stand)
            await until(lambda: stand["shares"])
            await stand.fresh(DEAR)
            late.go.set()
        assert stand.ran(late_sql) == 1
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
    async with standing(dsn, {**CACHE, "redis": own_redis.url}) as stand:
        await left_in_redis(stand)
        own_redis.stop()
        await stand.kernel.execute(RAISE)
        assert stand["unannounced"] > 0
        own_redis.go_on()
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
