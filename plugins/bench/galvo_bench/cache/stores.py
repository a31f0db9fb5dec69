"""Caches as stores of values under keys: what each can do with them, in its own way."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from asyncpg import Record
from redis.asyncio import Redis

from galvo import Rows
from galvo_bench.cache.redis_ways import aiocache_of, cashews_of
from galvo_bench.cache.sample import plain
from galvo_bench.running.peers import need
from galvo_bench.running.stand import must
from galvo_cache.l2 import Item, Shelf, client_of

TTL = 3600
PATIENCE = 5.0
"""Seconds; galvo's own 50 ms would turn a stall of this machine into misses."""
NO_DELETE = "has none: a write makes it stale"
NO_EXPIRE = "has none: the TTL is given with set"

Done = Awaitable[Any]


class Store(msgspec.Struct, frozen=True):
    """Where there is a sentence instead of an operation, it says why."""

    name: str
    get: Callable[[str], Done]
    set: Callable[[str], Done]
    """Always the same value, for an hour."""
    delete: Callable[[str], Done] | str
    get_many: Callable[[Sequence[str]], Done] | str
    set_many: Callable[[Sequence[str]], Done] | str
    expire: Callable[[str], Done] | str
    found: Callable[[Any], bool] = lambda answer: answer is not None
    """Whether `get` gave a value."""
    settled: Callable[[], Done] | None = None
    """Ends when all that was set has been written; None: `set` itself waits."""
    empty: Callable[[], object] | None = None
    """Needed before `set` where it would give back what is there."""


async def redis_py(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    """The least that a hand-written cache does: a pickle under a key."""
    client: Any = Redis.from_url(url)
    stack.push_async_callback(client.aclose)
    rows = plain(records)

    async def get(key: str) -> Any:
        found = await client.get(key)
        return None if found is None else pickle.loads(found)  # noqa: S301  # our own bytes

    async def get_many(keys: Sequence[str]) -> Any:
        return [pickle.loads(found) for found in await client.mget(keys) if found is not None]  # noqa: S301

    async def set_many(keys: Sequence[str]) -> None:
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.set(key, pickle.dumps(rows, protocol=5), ex=TTL)
        await pipe.execute()

    return Store(
        "redis.asyncio, pickle",
        get,
        lambda key: client.set(key, pickle.dumps(rows, protocol=5), ex=TTL),
        client.unlink,
        get_many,
        set_many,
        lambda key: client.expire(key, TTL),
    )


async def galvo(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    """L2 as the cache plugin has it by default: msgpack typed by column, a checksum, the stamps compared."""
    client = client_of(url)
    stack.push_async_callback(client.aclose)
    shelf = Shelf(client, "operations", timeout=PATIENCE)
    stack.push_async_callback(shelf.aclose)
    await shelf.delete_pattern()  # gives the namespace its stamp, without which nothing is stored
    stamps, rows = (b"twelve bytes",), Rows(records)

    async def set(key: str) -> None:
        kept = shelf.set(key.encode(), rows, stamps=stamps, created=0, cost=0.001, ttl=TTL)
        must(kept, "galvo's L2 refused to store an answer")

    async def set_many(keys: Sequence[str]) -> None:
        items = [Item(key.encode(), rows, stamps, 0, 0.001, TTL) for key in keys]
        must(shelf.set_many(items) == len(items), "galvo's L2 refused to store an answer")

    async def get_many(keys: Sequence[str]) -> Any:
        found = await shelf.get_many([key.encode() for key in keys], [stamps] * len(keys))
        return [stored for stored in found if stored is not None]

    get = shelf.get
    return Store(
        "galvo L2",
        lambda key: get(key.encode(), stamps),
        set,
        NO_DELETE,
        get_many,
        set_many,
        NO_EXPIRE,
        settled=shelf.drain,
    )


async def coredis(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    client = need("coredis").Redis.from_url(url, max_connections=10)  # it pipelines; more connections are slower
    await stack.enter_async_context(client)
    rows = plain(records)

    async def get(key: str) -> Any:
        found = await client.get(key)
        return None if found is None else pickle.loads(found)  # noqa: S301  # our own bytes

    async def get_many(keys: Sequence[str]) -> Any:
        return [pickle.loads(found) for found in await client.mget(keys) if found is not None]  # noqa: S301

    async def set(key: str) -> Any:
        return await client.set(key, pickle.dumps(rows, protocol=5), ex=TTL)

    return Store(
        "coredis, pickle",
        get,
        set,
        lambda key: client.unlink([key]),
        get_many,
        lambda keys: asyncio.gather(*map(set, keys)),
        lambda key: client.expire(key, TTL),
    )


async def cashews(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    return cashews_store("cashews", await cashews_of(url, stack), records)


def cashews_store(name: str, cache: Any, records: list[Record]) -> Store:
    """Wherever it keeps its values."""
    rows = plain(records)

    async def get_many(keys: Sequence[str]) -> Any:
        return [value for value in await cache.get_many(*keys) if value is not None]

    return Store(
        name,
        cache.get,
        lambda key: cache.set(key, rows, expire=TTL),
        cache.delete,
        get_many,
        lambda keys: cache.set_many(dict.fromkeys(keys, rows), expire=TTL),
        lambda key: cache.expire(key, TTL),
    )


async def aiocache(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    client: Redis = Redis.from_url(url)
    stack.push_async_callback(client.aclose)
    return aiocache_store("aiocache", aiocache_of(client, "aiocache"), records)


def aiocache_store(name: str, cache: Any, records: list[Record]) -> Store:
    """Wherever it keeps its values."""
    rows = plain(records)

    async def get_many(keys: Sequence[str]) -> Any:
        return [value for value in await cache.multi_get(keys) if value is not None]

    return Store(
        name,
        cache.get,
        lambda key: cache.set(key, rows, ttl=TTL),
        cache.delete,
        get_many,
        lambda keys: cache.multi_set([(key, rows) for key in keys], ttl=TTL),
        lambda key: cache.expire(key, TTL),
    )


async def dogpile(url: str, records: list[Record], stack: AsyncExitStack) -> Store:
    """It is not asynchronous: the loop stands still meanwhile, as in an application that calls it."""
    make_region, missing = need("dogpile.cache").make_region, need("dogpile.cache.api").NO_VALUE
    arguments = {"url": url, "redis_expiration_time": TTL}
    region = make_region().configure("dogpile.cache.redis", expiration_time=TTL, arguments=arguments)
    stack.callback(region.backend.reader_client.close)
    rows = plain(records)

    def now(call: Callable[..., Any], *more: Any) -> Callable[[Any], Done]:
        async def run(key: Any) -> Any:
            return call(key, *more)

        return run

    async def get_many(keys: Sequence[str]) -> Any:
        return [value for value in region.get_multi(list(keys)) if value is not missing]

    async def set_many(keys: Sequence[str]) -> None:
        region.set_multi(dict.fromkeys(keys, rows))

    return Store(
        "dogpile.cache",
        now(region.get),
        now(region.set, rows),
        now(region.delete),
        get_many,
        set_many,
        "has none",
        found=lambda answer: answer is not missing,
    )


Make = Callable[[str, list[Record], AsyncExitStack], Awaitable[Store]]
PEERS: dict[str, Make] = {
    "coredis, pickle": coredis,
    "cashews": cashews,
    "aiocache": aiocache,
    "dogpile.cache": dogpile,
}
