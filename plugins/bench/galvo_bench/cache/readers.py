"""Whoever gets answers from Redis, with the same answer stored in their own way under 1,000 keys."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from asyncpg import Record
from redis.asyncio import Redis

from galvo import Rows
from galvo_bench.cache.redis_ways import aiocache_of, cashews_of
from galvo_bench.cache.sample import Plain, plain
from galvo_bench.results.model import Missing
from galvo_bench.running.peers import attempt, need
from galvo_bench.running.stand import must
from galvo_cache.l2 import Shelf, Stored, client_of
from galvo_cache.l2.coalesce import Coalescer
from galvo_cache.l2.link import ServerLink

GETS = 1_000
"""Per burst, each of another key: equal keys could be answered by one fetch."""
KEYS = tuple(f"bench:{number}" for number in range(GETS))
PATIENCE = 5.0
"""Seconds; galvo's own 50 ms would turn a stall of this machine into misses."""


class Reader(msgspec.Struct, frozen=True):
    name: str
    get: Callable[[Any], Awaitable[Any]]
    expected: Any
    """What `get` must give."""
    keys: Sequence[Any] = KEYS
    shown: Callable[[Any], Any] = lambda answer: answer
    """What `get` gave, in the form of `expected`."""


async def readers_of(
    url: str, records: list[Record], stack: AsyncExitStack, peers: Mapping[str, Make] | None = None
) -> tuple[list[Reader], list[Missing]]:
    """Everybody, the baseline first; each has been tried. `peers`: PEERS, unless others are given."""
    rows = plain(records)
    pickled = pickle.dumps(rows, protocol=5)
    client = _client(url, stack)
    await client.mset(dict.fromkeys(KEYS, pickled))

    async def unpickled(key: str) -> Any:
        return pickle.loads(await client.get(key))  # type: ignore[arg-type]  # noqa: S301  # our own bytes

    readers = [
        Reader("redis.asyncio GET", client.get, pickled),
        Reader("redis.asyncio GET, decoded", unpickled, rows),
        _coalescer(url, pickled, stack),
        await _shelf(url, records, stack),
    ]
    missing: list[Missing] = []
    for name, make in (PEERS if peers is None else peers).items():
        made = await attempt(name, lambda make=make: make(url, rows, stack))  # type: ignore[misc]
        if isinstance(made, Missing):
            missing.append(made)
        else:
            readers.append(made)
    for reader in readers:
        answer = reader.shown(await reader.get(reader.keys[-1]))
        must(answer == reader.expected, f"{reader.name} gave another answer than the one that was stored")
    return readers, missing


async def processed(client: Redis) -> int:
    """Commands that the server has taken so far, this one not counted."""
    return int((await client.info("stats"))["total_commands_processed"])


def _client(url: str, stack: AsyncExitStack) -> Redis:
    """redis.asyncio with its default pool, here the fastest: as many connections as tasks."""
    client: Redis = Redis.from_url(url)
    stack.push_async_callback(client.aclose)
    return client


def _coalescer(url: str, pickled: bytes, stack: AsyncExitStack) -> Reader:
    """The way of galvo's L2 to Redis, without codec and checksum."""
    client: Redis = Redis.from_url(url)
    stack.push_async_callback(client.aclose)
    coalescer = Coalescer(ServerLink(client), timeout=PATIENCE)
    stack.push_async_callback(coalescer.aclose)
    return Reader("galvo L2 transport", coalescer.get, pickled, [key.encode() for key in KEYS])


async def _shelf(url: str, records: list[Record], stack: AsyncExitStack) -> Reader:
    """galvo's L2 as the cache plugin has it by default: msgpack typed by column, a checksum, the stamps compared."""
    client = client_of(url)
    stack.push_async_callback(client.aclose)
    shelf = Shelf(client, "bench", timeout=PATIENCE)
    stack.push_async_callback(shelf.aclose)
    await shelf.delete_pattern()  # gives the namespace its stamp, without which nothing is stored
    keys, stamps = [key.encode() for key in KEYS], (b"twelve bytes",)
    rows = Rows(records)
    for key in keys:
        must(shelf.set(key, rows, stamps=stamps, created=0, cost=0.001, ttl=3600), "L2 refused to store an answer")
    await shelf.drain()

    def shown(stored: Stored | None) -> Plain:
        return plain(list(stored.rows.records)) if stored is not None else []

    return Reader("galvo L2 get, decoded", lambda key: shelf.get(key, stamps), plain(records), keys, shown)


async def _coredis(url: str, rows: Plain, stack: AsyncExitStack) -> Reader:
    client = need("coredis").Redis.from_url(url, max_connections=10)  # it pipelines; more connections are slower
    await stack.enter_async_context(client)
    return Reader("coredis GET", client.get, pickle.dumps(rows, protocol=5))


async def _cashews(url: str, rows: Plain, stack: AsyncExitStack) -> Reader:
    cache = await cashews_of(url, stack)
    keys = [f"cashews:{key}" for key in KEYS]
    await cache.set_many(dict.fromkeys(keys, rows), expire=3600)
    return Reader("cashews get, decoded", cache.get, rows, keys)


async def _aiocache(url: str, rows: Plain, stack: AsyncExitStack) -> Reader:
    cache = aiocache_of(_client(url, stack), "aiocache")
    await cache.multi_set([(key, rows) for key in KEYS])
    return Reader("aiocache get, decoded", cache.get, rows)


Make = Callable[[str, Plain, AsyncExitStack], Awaitable[Reader]]
PEERS: dict[str, Make] = {"coredis GET": _coredis, "cashews get": _cashews, "aiocache get": _aiocache}
