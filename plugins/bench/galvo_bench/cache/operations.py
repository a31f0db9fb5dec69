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
from galvo_bench.method.rounds import Candidate, Operation
from galvo_bench.method.turns import turns
from galvo_bench.results.model import Missing, Section, inverted
from galvo_bench.running.peers import attempt
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand, must

KEYS = 100
"""In a turn; by so many tasks at once where they are as many."""
REPEATS = 10
"""Of a turn in memory, which would be too short else."""
SINGLE, MANY = ("get", "set", "delete", "expire"), ("get_many", "set_many")
EXPLAINS = "20 rows of 8 columns, about 3 KB, 100 keys by turns; in Redis each cache encodes in its own way. "
TOLD = {
    "set": "galvo's set does not wait for Redis, so the turn ends when all has been written; in memory it is a miss.",
    "delete": "What is deleted was set before, outside of the measurement.",
    "get_many": f"Per value, {KEYS} keys in one call.",
    "set_many": f"Per value, {KEYS} keys in one call; coredis has no such call with a TTL: {KEYS} at once.",
}
Shape = Callable[[Any, Sequence[str], list[Any]], Operation]
"""With where the answers go, to be looked at when nothing is timed."""


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
            await _compared(stand, crew, name, f"Memory, {name}: throughput", int(name in SINGLE), REPEATS)
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


async def _compared(stand: Stand, crew: Crew, name: str, title: str, tasks: int, repeats: int = 1) -> Section:
    """`tasks` 0: all keys in one call. `repeats` where nothing has to be prepared before each."""
    everyone, missing = crew
    candidates, checks, without = [], [], [*missing]
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
        seen: list[Any] = []
        run = _settling(store, shape(operation, keys, seen))
        check = _check(store, name, keys, seen)
        candidates.append(Candidate(store.name, run, 1 if before else repeats, len(keys), _after(check, before)))
        checks.append(check)
    found = await turns(candidates, stand.rounds, stand.tick)
    for check in checks:
        await check()
    rows = inverted([*found["wall"]])
    return Section("operations", title, EXPLAINS + TOLD.get(name, ""), [*rows, *without], "throughput")


def _keys(store: Store, name: str) -> list[str]:
    """cashews wants to know whose they are by a prefix."""
    return [f"{store.name.split(',')[0]}:{name}:{number}" for number in range(KEYS)]


def _check(store: Store, name: str, keys: Sequence[str], seen: list[Any]) -> Operation:
    """Of the turn before, if there was any: a cache that has lost its Redis is fast at nothing."""

    async def check() -> None:
        if not seen:
            return
        if name == "get":
            right = all(map(store.found, seen))
        elif name == "get_many":
            right = all(len(values) == len(keys) and all(map(store.found, values)) for values in seen)
        elif name == "expire":
            right = all(answer is not False for answer in seen)
        else:
            right = all([store.found(await store.get(key)) != (name == "delete") for key in keys])
        must(right, f"{store.name} did not do all of what was timed: {name}")
        seen.clear()

    return check


def _after(check: Operation, before: Operation | None) -> Operation:
    async def both() -> None:
        await check()
        if before is not None:
            await before()

    return both


def _one_by_one(call: Callable[[str], Awaitable[Any]], keys: Sequence[str], seen: list[Any]) -> Operation:
    async def run() -> None:
        seen.extend([await call(key) for key in keys])

    return run


def _all_at_once(call: Callable[[str], Awaitable[Any]], keys: Sequence[str], seen: list[Any]) -> Operation:
    async def one(key: str) -> Any:
        return await call(key)

    async def run() -> None:
        seen.extend(await asyncio.gather(*map(one, keys)))

    return run


def _in_one_call(call: Callable[[Sequence[str]], Awaitable[Any]], keys: Sequence[str], seen: list[Any]) -> Operation:
    async def run() -> None:
        seen.append(await call(keys))

    return run


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
