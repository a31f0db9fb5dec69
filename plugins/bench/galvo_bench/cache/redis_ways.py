"""Ways to invalidate a table in Redis, the peers' among them: each has a database of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import islice
from typing import Any

import anyio
from redis.asyncio import Redis

from galvo_bench.method.rounds import Candidate, Operation
from galvo_bench.running.peers import need

ENTRIES = 10_000
VALUE = "x" * 100
KEYS = [f"material:{number}" for number in range(ENTRIES)]
RESTORE = """
    redis.call('select', ARGV[2])
    redis.call('flushdb')
    redis.call('select', ARGV[1])
    for _, key in ipairs(redis.call('keys', '*')) do redis.call('copy', key, key, 'DB', ARGV[2]) end
"""


class Crowd:
    """The entries of one way: filled once in one database, copied into another before every round."""

    def __init__(self, name: str, url: str, number: int, stack: AsyncExitStack) -> None:
        self.name = name
        self.stack = stack
        self.databases = (2 * number + 1, 2 * number + 2)
        self.fill_url, self.url = (f"{url}?db={database}" for database in self.databases)
        self.filler, self.client = (Redis.from_url(address) for address in (self.fill_url, self.url))
        stack.push_async_callback(self.filler.aclose)
        stack.push_async_callback(self.client.aclose)
        self.invalidate: Operation = self.client.flushdb
        self.deletes = True
        """Else its entries stay until they expire, and it can be repeated at once."""

    async def restore(self) -> None:
        await self.client.eval(RESTORE, 0, *map(str, self.databases))


async def scan(crowd: Crowd) -> None:
    """The usual `delete_pattern`, with the larger steps that redis.io advises."""
    await crowd.filler.mset(dict.fromkeys(KEYS, VALUE))
    client = crowd.client

    async def invalidate() -> None:
        keys: list[bytes] = []
        async for key in client.scan_iter(match="material:*", count=1000):
            keys.append(key)
            if len(keys) >= 1000:
                await client.unlink(*keys)
                keys.clear()
        if keys:
            await client.unlink(*keys)

    crowd.invalidate = invalidate


async def tag_set(crowd: Crowd) -> None:
    """A set that holds the keys of all entries."""
    await crowd.filler.mset(dict.fromkeys(KEYS, VALUE))
    await crowd.filler.sadd("tag:material", *KEYS)
    client = crowd.client

    async def invalidate() -> None:
        members: Any = await client.smembers("tag:material")
        await client.unlink("tag:material", *members)

    crowd.invalidate = invalidate


async def stamp(crowd: Crowd) -> None:
    """Every entry holds the stamp it was stored under; one SET makes it another."""
    await crowd.filler.mset(dict.fromkeys(KEYS, VALUE))
    client = crowd.client
    crowd.deletes = False
    crowd.invalidate = lambda: client.set("stamp:material", b"twelve bytes")


async def cashews_match(crowd: Crowd) -> None:
    filler, cache = await cashews_of(crowd.fill_url, crowd.stack), await cashews_of(crowd.url, crowd.stack)
    await filler.set_many(dict.fromkeys(KEYS, VALUE), expire=3600)
    crowd.invalidate = lambda: cache.delete_match("material:*")


async def cashews_tags(crowd: Crowd) -> None:
    filler, cache = await cashews_of(crowd.fill_url, crowd.stack), await cashews_of(crowd.url, crowd.stack)

    async def fill(keys: list[str]) -> None:
        for key in keys:
            await filler.set(key, VALUE, expire=3600, tags=["material"])

    keys = iter(KEYS)
    async with anyio.create_task_group() as tasks:
        while part := list(islice(keys, ENTRIES // 50)):
            tasks.start_soon(fill, part)
    crowd.invalidate = lambda: cache.delete_tags("material")


async def cashews_of(url: str, stack: AsyncExitStack) -> Any:
    """cashews on redis-py, with a connection for each of 100 tasks (its default is 10)."""
    cashews = need("cashews")
    # It knows the schemes redis and rediss only, but hands any address to redis-py.
    pickler = need("cashews.picklers").PicklerType.DEFAULT
    cashews.register_backend("unix", need("cashews.backends.redis").Redis, pass_uri=True, pickler=pickler)
    cache = cashews.Cache()
    cache.setup(url, max_connections=100)
    stack.push_async_callback(cache.close)
    await cache.init()
    return cache


async def aiocache_clear(crowd: Crowd) -> None:
    await crowd.filler.mset({f"material:{key}": VALUE for key in KEYS})
    cache = aiocache_of(crowd.client, "material")
    crowd.invalidate = lambda: cache.clear(namespace="material")


def aiocache_of(client: Redis, namespace: str) -> Any:
    """aiocache with pickles, the only serializer of its own that keeps types."""
    serializer = need("aiocache.serializers").PickleSerializer(protocol=5)
    cache = need("aiocache").RedisCache(serializer=serializer, namespace=namespace)
    cache.client = client  # it has no option for a Unix socket
    return cache


async def dogpile() -> Candidate:
    """A region of dogpile.cache in the memory of this process."""
    region = need("dogpile.cache").make_region().configure("dogpile.cache.memory", expiration_time=3600)
    region.set_multi(dict.fromkeys(KEYS, VALUE))

    async def invalidate() -> None:
        region.invalidate()

    return Candidate("dogpile memory invalidate", invalidate, 1000)


WAYS: dict[str, Callable[[Crowd], Awaitable[None]]] = {
    "redis.asyncio SCAN, UNLINK": scan,
    "redis.asyncio SMEMBERS, UNLINK": tag_set,
    "redis.asyncio SET of a stamp": stamp,
    "cashews delete_match": cashews_match,
    "cashews delete_tags": cashews_tags,
    "aiocache clear(namespace)": aiocache_clear,
}
