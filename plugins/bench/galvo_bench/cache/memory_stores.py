"""Caches in the memory of this process, as stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from asyncpg import Record

from galvo import Kernel
from galvo_bench.cache.sample import plain
from galvo_bench.cache.stores import NO_DELETE, NO_EXPIRE, TTL, Store, aiocache_store, cashews_store
from galvo_bench.running.peers import need

TABLE = "bench_depends_on"
NO_MANY = "has none"


async def dictionary(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    """The least that is possible: nothing expires, nothing is bounded."""
    kept: dict[str, Any] = {}
    rows = plain(records)

    async def get(key: str) -> Any:
        return kept.get(key)

    async def set(key: str) -> None:
        kept[key] = rows

    async def delete(key: str) -> None:
        kept.pop(key, None)

    async def get_many(keys: Sequence[str]) -> Any:
        return [kept[key] for key in keys if key in kept]

    async def set_many(keys: Sequence[str]) -> None:
        kept.update(dict.fromkeys(keys, rows))

    return Store("async def, a dict", get, set, delete, get_many, set_many, NO_MANY)


async def galvo(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    """`kernel.cached` with `shared=True`: callers promise not to change the value, as those of the peers must.

    `set` is what happens at a miss.
    """
    overrides: dict[str, Any] = {
        "pool": {"url": url, "min_size": 1, "max_size": 1},
        "embedded": {"on": False},
        "cache": {"warm": 0},
    }
    kernel = await stack.enter_async_context(Kernel.from_settings(overrides=overrides))
    await kernel.execute(f"drop table if exists {TABLE}; create table {TABLE} (id int)")
    stack.push_async_callback(kernel.execute, f"drop table {TABLE}")
    rows, cached, depends = plain(records), kernel.cached, (TABLE,)

    async def absent() -> Any:
        raise KeyError

    async def load() -> Any:
        return rows

    async def get(key: str) -> Any:
        try:
            return await cached(key, absent, depends_on=depends, shared=True)
        except KeyError:
            return None

    async def set(key: str) -> Any:
        return await cached(key, load, depends_on=depends, ttl=TTL, shared=True)

    clear = kernel.find_capability("cache").clear
    return Store("galvo cached()", get, set, NO_DELETE, NO_MANY, NO_MANY, NO_EXPIRE, empty=clear)


async def cashews(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    cache = need("cashews").Cache()
    cache.setup("mem://", size=10_000)
    stack.push_async_callback(cache.close)
    return cashews_store("cashews mem://", cache, records)


async def aiocache(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    cache = need("aiocache").SimpleMemoryCache(namespace="operations")
    stack.push_async_callback(cache.clear)
    return aiocache_store("aiocache memory", cache, records)


async def dogpile(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    """Nothing in it waits."""
    make_region, missing = need("dogpile.cache").make_region, need("dogpile.cache.api").NO_VALUE
    region = make_region().configure("dogpile.cache.memory", expiration_time=TTL)
    rows = plain(records)

    async def get(key: str) -> Any:
        return region.get(key)

    async def set(key: str) -> None:
        region.set(key, rows)

    async def delete(key: str) -> None:
        region.delete(key)

    async def get_many(keys: Sequence[str]) -> Any:
        return [value for value in region.get_multi(list(keys)) if value is not missing]

    async def set_many(keys: Sequence[str]) -> None:
        region.set_multi(dict.fromkeys(keys, rows))

    return Store(
        "dogpile memory", get, set, delete, get_many, set_many, NO_MANY, found=lambda answer: answer is not missing
    )


Make = Callable[[str, list[Record], AsyncExitStack], Awaitable[Store]]
PEERS: dict[str, Make] = {"cashews mem://": cashews, "aiocache memory": aiocache, "dogpile memory": dogpile}
