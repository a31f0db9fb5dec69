"""Caches in Redis: get, set, delete, get_many, set_many, expire, by one task and by 100."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from redis.asyncio import Redis

from galvo_bench.cache import stores
from galvo_bench.cache.sample import sample
from galvo_bench.cache.stores import Store
from galvo_bench.method.rounds import Candidate, Operation, compare
from galvo_bench.results.model import Missing, Section, inverted
from galvo_bench.running.peers import attempt
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand, must

KEYS = 100
"""In a turn; by so many tasks at once where they are as many."""
SINGLE, MANY = ("get", "set", "delete", "expire"), ("get_many", "set_many")
EXPLAINS = "20 rows of 8 columns, about 3 KB, 100 keys by turns; each cache encodes and decodes in its own way. "
TOLD = {
    "set": "galvo's set does not wait for Redis; the turn ends when all has been written.",
    "delete": "What is deleted was set before, outside of the measurement.",
    "get_many": f"Per value, {KEYS} keys in one call.",
    "set_many": f"Per value, {KEYS} keys in one call; coredis has no such call with a TTL: {KEYS} at once.",
}
Shape = Callable[[Any, Sequence[str]], Operation]


async def measure(stand: Stand) -> list[Section]:
    """Values in Redis through each cache: get, set, delete, expire by 1 and 100 tasks, get_many, set_many."""
    records = await sample(stand)
    url = await stand.redis()
    async with resources() as stack:
        client: Redis = Redis.from_url(url)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(client.flushdb)
        everyone, missing = await _stores(url, records, stack)
        sections = []
        for name in SINGLE:
            for tasks in (1, KEYS):
                title = f"Redis, {name}, {tasks} task{'s' * (tasks > 1)}: throughput"
                sections.append(await _compared(stand, everyone, missing, name, title, tasks))
        for name in MANY:
            title = f"Redis, {name} of {KEYS}: throughput"
            sections.append(await _compared(stand, everyone, missing, name, title, 0))
        return sections


async def _stores(url: str, records: list[Any], stack: AsyncExitStack) -> tuple[list[Store], list[Missing]]:
    """The baseline first; each has been tried with all that it can do."""
    found = [await stores.redis_py(url, records, stack), await stores.galvo(url, records, stack)]
    missing: list[Missing] = []
    for name, make in stores.PEERS.items():
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


async def _compared(
    stand: Stand, everyone: list[Store], missing: list[Missing], name: str, title: str, tasks: int
) -> Section:
    """`tasks` 0: all keys in one call."""
    candidates, without = [], [*missing]
    for store in everyone:
        operation = getattr(store, name)
        if isinstance(operation, str):
            without.append(Missing(store.name, operation))
            continue
        keys = _keys(store, name)
        if name == "delete":
            before: Operation | None = _filled(store, keys)
        else:
            before = None
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
