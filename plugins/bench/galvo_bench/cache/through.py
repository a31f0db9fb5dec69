"""An application that reads rows through a cache and changes them, as each cache's own manual shows it."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from logging import CRITICAL, getLogger
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

from galvo import Kernel
from galvo_bench.cache.redis_ways import cashews_of
from galvo_bench.running.peers import need

TTL = 3600
CONNECTIONS = 10
"""To PostgreSQL."""
THREADS = 64
"""Of those who are not asynchronous."""
NOISY = ("cashews", "aiocache", "galvo")

Rows = list[tuple[Any, ...]]


class Source(msgspec.Struct, frozen=True):
    """A PostgreSQL, a Redis, and the statement that reads the rows of a key, which is an int."""

    url: str
    redis: str
    sql: str


class Through(msgspec.Struct, frozen=True):
    read: Callable[[int], Awaitable[Rows]]
    write: Callable[[str, int, Any], Awaitable[Any]]
    """A statement that changes what is read by a key, the key ($1), its other argument ($2)."""
    shares: Callable[[], bool] = lambda: True
    """Whether it has used what other processes keep; it may take a while to join them."""


@contextmanager
def quiet() -> Iterator[None]:
    """What they log of a Redis that is broken on purpose is no news."""
    loggers = [getLogger(name) for name in NOISY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


async def no_cache(source: Source, stack: AsyncExitStack) -> Through:
    pool = await _pool(source, stack)
    return Through(partial(_load, pool, source.sql), pool.execute)


async def galvo(source: Source, stack: AsyncExitStack) -> Through:
    """Statements as they are; nothing says what they invalidate."""
    overrides: dict[str, Any] = {
        "pool": {"url": source.url, "min_size": 2, "max_size": CONNECTIONS},
        "cache": {"redis": source.redis, "warm": 0},
        "embedded": {"on": False},
    }
    kernel = await stack.enter_async_context(Kernel.from_settings(overrides=overrides))

    def shares() -> bool:
        counts = kernel.plugin_stats("cache")
        return bool(counts.get("l2_hits", 0) + counts.get("l2_misses", 0))

    made = Through(partial(_load, kernel, source.sql), kernel.execute, shares)
    for _ in range(500):  # it keeps nothing until it has joined those who share the Redis
        await made.read(0)
        if kernel.plugin_stats("cache").get("hits"):
            break
        await asyncio.sleep(0.01)
    return made


async def by_hand(source: Source, stack: AsyncExitStack) -> Through:
    pool = await _pool(source, stack)
    client: Any = Redis.from_url(source.redis)
    stack.push_async_callback(client.aclose)

    async def read(key: int) -> Rows:
        kept = await client.get(f"hand:{key}")
        if kept is not None:
            rows: Rows = pickle.loads(kept)  # noqa: S301  # our own bytes
            return rows
        rows = await _load(pool, source.sql, key)
        await client.set(f"hand:{key}", pickle.dumps(rows, protocol=5), ex=TTL)
        return rows

    return _aside(pool, read, lambda key: client.unlink(f"hand:{key}"))


async def cashews(source: Source, stack: AsyncExitStack, *, lock: bool = False) -> Through:
    pool = await _pool(source, stack)
    cache = await cashews_of(source.redis, stack)

    @cache(ttl=TTL, key="through:{key}", lock=lock)  # type: ignore[untyped-decorator]  # a peer's
    async def read(key: int) -> Rows:
        return await _load(pool, source.sql, key)

    return _aside(pool, read, lambda key: cache.delete(f"through:{key}"))


async def aiocache(source: Source, stack: AsyncExitStack, *, lock: bool = False) -> Through:
    pool = await _pool(source, stack)
    module = need("aiocache")
    client: Any = Redis.from_url(source.redis)
    stack.push_async_callback(client.aclose)
    decorator = module.cached_stampede if lock else module.cached
    serializer = need("aiocache.serializers").PickleSerializer(protocol=5)

    @decorator(  # type: ignore[untyped-decorator]  # a peer's
        ttl=TTL, cache=module.Cache.REDIS, serializer=serializer, key_builder=lambda _, key: f"aiocache:{key}"
    )
    async def read(key: int) -> Rows:
        return await _load(pool, source.sql, key)

    read.cache.client = client  # it has no option for a Unix socket
    return _aside(pool, read, lambda key: read.cache.delete(f"aiocache:{key}"))


async def dogpile(source: Source, stack: AsyncExitStack, *, lock: bool = False) -> Through:
    """It is not asynchronous: each read has a thread, and asks the database through the loop."""
    pool = await _pool(source, stack)
    arguments = {"url": source.redis, "redis_expiration_time": 2 * TTL}
    if lock:
        arguments |= {"distributed_lock": True, "thread_local_lock": False, "lock_timeout": 30}
    region = need("dogpile.cache").make_region()
    region.configure("dogpile.cache.redis", expiration_time=TTL, arguments=arguments)
    stack.callback(region.backend.reader_client.close)
    threads, loop = stack.enter_context(ThreadPoolExecutor(THREADS)), asyncio.get_running_loop()

    def create(key: int) -> Rows:
        return asyncio.run_coroutine_threadsafe(_load(pool, source.sql, key), loop).result()

    async def read(key: int) -> Rows:
        found: Any = await loop.run_in_executor(
            threads, lambda: region.get_or_create(f"dogpile:{key}", partial(create, key))
        )
        rows: Rows = found
        return rows

    return _aside(pool, read, lambda key: asyncio.to_thread(region.delete, f"dogpile:{key}"))


def _aside(pool: Any, read: Callable[[int], Awaitable[Rows]], forget: Callable[[int], Awaitable[Any]]) -> Through:
    """Cache-aside: write to the database, then delete the key."""

    async def write(sql: str, key: int, value: Any) -> None:
        await pool.execute(sql, key, value)
        await forget(key)

    return Through(read, write)


async def _pool(source: Source, stack: AsyncExitStack) -> Any:
    return await stack.enter_async_context(asyncpg.create_pool(source.url, min_size=2, max_size=CONNECTIONS))


async def _load(database: Any, sql: str, key: int) -> Rows:
    return [tuple(row) for row in await database.fetch(sql, key)]


Make = Callable[[Source, AsyncExitStack], Awaitable[Through]]
WAYS: dict[str, Make] = {
    "no cache": no_cache,
    "redis.asyncio by hand": by_hand,
    "galvo": galvo,
    "cashews": cashews,
    "cashews, lock": partial(cashews, lock=True),
    "aiocache": aiocache,
    "aiocache, stampede": partial(aiocache, lock=True),
    "dogpile": dogpile,
    "dogpile, Redis lock": partial(dogpile, lock=True),
}
