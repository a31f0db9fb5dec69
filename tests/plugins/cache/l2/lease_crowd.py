"""Kernels that share a Redis, and a statement that is dear and counts its runs on the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
from redis.asyncio import Redis

from galvo import Plugin
from galvo_cache.l2.lease import Leases
from tests.plugins.cache.clock import turned
from tests.plugins.cache.situations.situation import Situation, shared, two

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
async def crowd(
    dsn: str, url: str, count: int = 3, *, more: tuple[type[Plugin], ...] = (), **cache: Any
) -> AsyncIterator[list[Situation]]:
    """Kernels that share a Redis and know what the slow statement costs."""
    async with AsyncExitStack() as stack:
        made: list[Situation] = []
        for _ in range(count):
            again: dict[str, Any] = {"schema": None} if made else {"setup": SETUP}
            settings = shared(url, **{"ttl": 600, "lease": 2.0, "reads": {"slow": []}, **cache})
            made.append(await stack.enter_async_context(two(dsn, cache=settings, min_size=2, more=more, **again)))
        for one in made:
            await one.awake()
            await turned(lambda one=one: leases(one).listening)
            one.kernel.find_capability("cache")._sharing.coherence._lease._since = 0.0  # L2 is believed from now on
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


async def gone(redis: Redis) -> None:
    with anyio.fail_after(10):
        while [key async for key in redis.scan_iter("*:lease")]:  # noqa: ASYNC110  # released in the background
            await anyio.sleep(0.005)


def patient(*crowd: Situation, cost: float = 60.0) -> None:
    """They believe the statement to be dearer than any test lasts: a lease has no end, and only the word wakes."""
    for one in crowd:
        one.kernel.find_capability("cache")._plans.get(SLOW).cost.value = cost
