"""Caches in Redis and in memory: get, set, delete, expire, get_many, set_many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from asyncpg import Record
from redis.asyncio import Redis

from galvo_bench.cache import memory_stores, stores
from galvo_bench.cache.sample import sample
from galvo_bench.cache.stores import Make, Store
from galvo_bench.method.rounds import Candidate, Operation, compare
from galvo_bench.results.model import Missing, Section, inverted
from galvo_bench.running.peers import attempt
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand, must

KEYS = 100
"""In a turn; by so many tasks at once where they are as many."""
SINGLE, MANY = ("get", "set", "delete", "expire"), ("get_many", "set_many")
EXPLAINS = "20 rows of 8 columns, about 3 KB, 100 keys by turns; in Redis each cache encodes in its own way. "
TOLD = {
    "set": "galvo's set does not wait for Redis, so the turn ends when all has been written; in memory it is a miss.",
    "delete": "What is deleted was set before, outside of the measurement.",
    "get_many": f"Per value, {KEYS} keys in one call.",
    "set_many": f"Per value, {KEYS} keys in one call; coredis has no such call with a TTL: {KEYS} at once.",
}
Shape = Callable[[Any, Sequence[str]], Operation]


async def measure(stand: Stand) -> list[Section]:
    """Values in Redis and in memory through each cache: get, set, delete, expire, get_many, set_many."""
    records = await sample(stand)
    return [*await _in_redis(stand, records), *await _in_memory(stand, records)]


async def _in_redis(stand: Stand, records: list[Record]) -> list[Section]:
    url = await stand.redis()
    async with resources() as stack:
        client: Redis = Redis.from_url(url)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(client.flushdb)
        ours = [await stores.redis_py(url, records, stack), await stores.galvo(url, records, stack)]
        crew = await _crew(ours, stores.PEERS, url, records, stack)
        one = {f"Redis, {name}, 1 task: throughput": (name, 1) for name in SINGLE}
        many = {f"Redis, {name}, {KEYS} tasks: throughput": (name, KEYS) for name in SINGLE}
        whole = {f"Redis, {name} of {KEYS}: throughput": (name, 0) for name in MANY}
        loads = (one | many | whole).items()
        return [await _compared(stand, crew, name, title, tasks) for title, (name, tasks) in loads]


async def _in_memory(stand: Stand, records: list[Record]) -> list[Section]:
    url = await stand.postgres()
    async with resources() as stack:
        ours = [await memory_stores.dictionary(url, records, stack), await memory_stores.galvo(url, records, stack)]
        crew = await _crew(ours, memory_stores.PEERS, url, records, stack)
        return [
            await _compared(stand, crew, name, f"Memory, {name}: throughput", 1 if name in SINGLE else 0)
            for name in (*SINGLE[:-1], *MANY)
        ]


Crew = tuple[list[Store], list[Missing]]
"""The baseline first, and who cannot come."""


async def _crew(
    ours: list[Store], peers: Mapping[str, Make], url: str, records: list[Record], stack: AsyncExitStack
) -> Crew:
    """Each has been tried with all that it can do."""
    found, missing = [*ours], []
    for name, make in peers.items():
        made = await attempt(name, partial(make, url, records, stack))
        if isinstance(made, Missing):
            missing.append(made)
        else:
            found.append(made)
    for store in found:
        await _tried(store)
    return found, missing


async def _tried(store: Store) -> None:
    """Raises GalvoError when it does not do what its operations are called."""
    name, keys = store.name, _keys(store, "tried")
    must(not store.found(await store.get(keys[0])), f"{name} gives what was not set")
    await store.set(keys[0])
    await _settled(store)
    must(store.found(await store.get(keys[0])), f"{name} does not give what was set")
    if not isinstance(store.expire, str):
        await store.expire(keys[0])
        must(store.found(await store.get(keys[0])), f"{name} forgets what is to expire in an hour")
    if not isinstance(store.delete, str):
        await store.delete(keys[0])
        must(not store.found(await store.get(keys[0])), f"{name} gives what was deleted")
    if not (isinstance(store.set_many, str) or isinstance(store.get_many, str)):
        await store.set_many(keys)
        await _settled(store)
        must(len(await store.get_many(keys)) == len(keys), f"{name} does not give all that was set")


async def _compared(stand: Stand, crew: Crew, name: str, title: str, tasks: int) -> Section:
    """`tasks` 0: all keys in one call."""
    everyone, missing = crew
    candidates, without = [], [*missing]
    for store in everyone:
        operation = getattr(store, name)
        if isinstance(operation, str):
            without.append(Missing(store.name, operation))
            continue
        keys = _keys(store, name)
        before: Operation | None = None
        if name == "delete":
            before = _filled(store, keys)
        elif name == "set" and store.empty is not None:
            before = _emptied(store.empty)
        else:
            await _filled(store, keys)()
        shape: Shape = SHAPES.get(tasks, _all_at_once)
        run = _settling(store, shape(operation, keys))
        candidates.append(Candidate(store.name, run, 1, len(keys), before))
    rows = inverted([*await compare(candidates, stand.few, "wall", stand.tick)])
    return Section("operations", title, EXPLAINS + TOLD.get(name, ""), [*rows, *without], "throughput")


def _keys(store: Store, name: str) -> list[str]:
    """cashews wants to know whose they are by a prefix."""
    return [f"{store.name.split(',')[0]}:{name}:{number}" for number in range(KEYS)]


def _one_by_one(call: Callable[[str], Awaitable[Any]], keys: Sequence[str]) -> Operation:
    async def run() -> None:
        for key in keys:
            await call(key)

    return run


def _all_at_once(call: Callable[[str], Awaitable[Any]], keys: Sequence[str]) -> Operation:
    async def one(key: str) -> None:
        await call(key)

    async def run() -> None:
        await asyncio.gather(*map(one, keys))

    return run


def _in_one_call(call: Callable[[Sequence[str]], Awaitable[Any]], keys: Sequence[str]) -> Operation:
    return lambda: call(keys)


SHAPES: dict[int, Shape] = {0: _in_one_call, 1: _one_by_one}


def _filled(store: Store, keys: Sequence[str]) -> Operation:
    async def fill() -> None:
        for key in keys:
            await store.set(key)
        await _settled(store)

    return fill


def _emptied(empty: Callable[[], object]) -> Operation:
    async def run() -> None:
        empty()

    return run


def _settling(store: Store, run: Operation) -> Operation:
    if store.settled is None:
        return run
    settled = store.settled

    async def whole() -> None:
        await run()
        await settled()

    return whole


async def _settled(store: Store) -> None:
    if store.settled is not None:
        await store.settled()
