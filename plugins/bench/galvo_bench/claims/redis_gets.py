"""Redis operations: how long a get from L2, a set and a delete take, alone and among 16 tasks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from statistics import median
from time import perf_counter
from typing import Any

import msgspec
from asyncpg import Record
from redis.asyncio import Redis

from galvo import Rows
from galvo_bench.cache import stores
from galvo_bench.cache.readers import KEYS, Reader, readers_of
from galvo_bench.cache.sample import sample
from galvo_bench.claims.claim import Found
from galvo_bench.method.interval import interval
from galvo_bench.results.model import Section, Values
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand, must
from galvo_cache.l2 import Shelf, client_of

TASKS = (1, 16)
"""At once. What is promised is judged at the first: among many on one loop, each waits for the others' CPU."""
CALLS = 960
"""Of a turn of gets, and of a turn of whatever else."""
OTHERS = 320
PROMISED = 1e-3
"""Seconds."""
LATE = 0.5e-3
"""Seconds: where a bare PING takes longer, a machine is too busy to show it."""
GET, SET, DELETE = "get", "set", "delete"
PLAIN, GALVO, AGAIN = "redis.asyncio", "galvo L2", "redis.asyncio again (A/A)"
LANES = (PLAIN, GALVO, AGAIN)
READS = {PLAIN: "redis.asyncio GET, decoded", GALVO: "galvo L2 get, decoded"}
STAMPS = (b"twelve bytes",)
OWN = "claims-set:"
"""What the keys of sets begin with."""


class Turn(msgspec.Struct, frozen=True):
    """Seconds."""

    p50: float
    p99: float


class Work(msgspec.Struct, frozen=True):
    """What a lane does with each key, how that is prepared, and how it is known to have been done."""

    call: Callable[[Any], Awaitable[Any]]
    keys: Sequence[Any]
    check: Callable[[list[Any]], Awaitable[None]]
    """Of a turn's answers; raises GalvoError."""
    before: Callable[[], Awaitable[Any]] | None = None


Times = dict[tuple[str, str, int], list[Turn]]
"""By lane, operation, tasks."""


async def measure(stand: Stand) -> Found:
    """Rounds of both, and of redis.asyncio again."""
    records = await sample(stand)
    url = await stand.redis()
    async with resources() as stack:
        client: Any = Redis.from_url(url)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(client.flushdb)
        readers, _ = await readers_of(url, records, stack, peers={})
        by_name = {reader.name: reader for reader in readers}
        work = {(lane, GET): _gets(by_name[name]) for lane, name in READS.items()}
        work |= await _others(url, client, records, stack)
        found: Times = {(lane, name, tasks): [] for _, name in work for lane in LANES for tasks in TASKS}
        pings: list[Turn] = []
        ping = Work(lambda _: client.ping(), KEYS[:OTHERS], _nothing)
        for number in range(-1, stand.rounds):  # the first one warms up
            at = number % len(LANES)
            pings.append(await turn(ping, 1))
            for lane in LANES[at:] + LANES[:at]:
                for name in (GET, SET, DELETE):
                    for tasks in TASKS:
                        one = await turn(work[PLAIN if lane == AGAIN else lane, name], tasks)
                        if number >= 0:
                            found[lane, name, tasks].append(one)
            stand.tick()
    return told(found, median(one.p99 for one in pings))


def told(found: Times, ping: float) -> Found:
    """Of whatever takes galvo longest; `ping` is a bare one's 99th percentile, in seconds."""
    alone = TASKS[0]

    def late(lane: str, name: str) -> list[float]:
        return [one.p99 for one in found[lane, name, alone]]

    name = max((GET, SET, DELETE), key=lambda name: interval(late(GALVO, name))[1])
    plain, galvo, again = (late(lane, name) for lane in LANES)
    noise = interval([mine / base for mine, base in zip(again, plain, strict=True)])
    slower = interval([mine / base for mine, base in zip(galvo, plain, strict=True)])[0] > max(1.0, noise[1])
    able = ping <= LATE or slower
    low, high = interval(galvo)
    many = median(one.p99 for one in found[GALVO, GET, TASKS[-1]])
    among = median(one.p99 for one in found[PLAIN, GET, TASKS[-1]])
    busy = "" if ping <= LATE else f" A bare PING takes {1e3 * ping:.1f} ms here: this machine is too busy."
    explains = (
        f"99th percentile of get, set and delete, each by itself, of the slowest: {name}. 20 rows of 8 columns, about "
        "3 KB, rows decoded; galvo's set is timed until Redis has it, its delete forgets a namespace. Plain is "
        f"redis.asyncio and pickle. {TASKS[-1]} tasks at once wait for each other's CPU, and are not judged: a get's "
        f"is {1e3 * many:.2f} ms, plain's {1e3 * among:.2f} ms.{busy}"
    )
    return Found(
        plain=median(plain),
        galvo=median(galvo),
        middle=median(galvo),
        low=low,
        high=high,
        noise=noise,
        explains=explains,
        rounds=len(galvo),
        able=able,
        sections=[_section(found, name, tasks) for name in (GET, SET, DELETE) for tasks in TASKS],
    )


def _section(found: Times, name: str, tasks: int) -> Section:
    rows = [
        Values(lane, {
            f"{which} ms": 1e3 * median(getattr(one, which) for one in found[lane, name, tasks])
            for which in ("p50", "p99")
        })
        for lane in LANES
    ]  # fmt: skip
    title = f"Redis, {name}, {tasks} task{'s' * (tasks > 1)}"
    return Section("redis", title, "Each waits for its answer; every answer is checked afterwards.", [*rows])


def _gets(reader: Reader) -> Work:
    async def check(answers: list[Any]) -> None:
        wrong = sum(answer is None or reader.shown(answer) != reader.expected for answer in answers)
        must(not wrong, f"{wrong} of {len(answers)} answers of {reader.name} are not what was stored")

    return Work(reader.get, reader.keys[:CALLS], check)


async def _others(url: str, client: Any, records: list[Record], stack: AsyncExitStack) -> dict[tuple[str, str], Work]:
    plain, galvo = await stores.redis_py(url, records, stack), await stores.galvo(url, records, stack)
    keys = [f"{OWN}{number}" for number in range(OTHERS)]
    ours = client_of(url)
    stack.push_async_callback(ours.aclose)
    shelf = Shelf(ours, "claims-forgotten", timeout=stores.PATIENCE)
    stack.push_async_callback(shelf.aclose)
    await shelf.delete_pattern()  # gives the namespace its stamp, without which nothing is stored
    rows = Rows(records)

    async def settled(key: str) -> None:
        await galvo.set(key)
        if galvo.settled is not None:
            await galvo.settled()

    async def there() -> list[Any]:
        return [key async for key in client.scan_iter(match=f"*{OWN}*", count=1_000)]

    async def all_there(_: list[Any]) -> None:
        left = await there()
        must(len(left) == len(keys), f"{len(left)} of {len(keys)} sets are in Redis")
        await client.unlink(*left)

    async def fill() -> None:
        await client.mset(dict.fromkeys(keys, b"a value"))

    async def none_there(_: list[Any]) -> None:
        must(not await there(), "what was deleted is in Redis")

    async def remember() -> None:
        must(shelf.set(b"kept", rows, stamps=STAMPS, created=0, cost=0.001, ttl=stores.TTL), "L2 refused an answer")
        await shelf.drain()
        must(await shelf.get(b"kept", STAMPS) is not None, "galvo's L2 does not give what was set")

    async def forgotten(_: list[Any]) -> None:
        must(await shelf.get(b"kept", STAMPS) is None, "galvo's L2 gives what was forgotten")

    return {
        (PLAIN, SET): Work(plain.set, keys, all_there),
        (GALVO, SET): Work(settled, keys, all_there),
        (PLAIN, DELETE): Work(client.unlink, keys, none_there, fill),
        (GALVO, DELETE): Work(lambda _: shelf.delete_pattern(), keys, forgotten, remember),
    }


async def _nothing(_: list[Any]) -> None:
    pass


async def turn(work: Work, tasks: int) -> Turn:
    """Every task has keys of its own, one after the other."""
    each = len(work.keys) // tasks
    took: list[float] = []
    answers: list[Any] = []

    async def task(first: int) -> None:
        for key in work.keys[first : first + each]:
            began = perf_counter()
            answer = await work.call(key)
            took.append(perf_counter() - began)
            answers.append(answer)

    if work.before is not None:
        await work.before()
    gc.collect()
    gc.disable()
    try:
        await asyncio.gather(*(task(number * each) for number in range(tasks)))
    finally:
        gc.enable()
    await work.check(answers)
    took.sort()
    return Turn(took[len(took) // 2], took[int(len(took) * 0.99)])
