"""Redis operations: how long a get from L2 takes, decoding included, alone and among 16 tasks."""

from __future__ import annotations

import asyncio
import gc
from statistics import median
from time import perf_counter

import msgspec
from redis.asyncio import Redis

from galvo_bench.cache.readers import Reader, readers_of
from galvo_bench.cache.sample import sample
from galvo_bench.claims.claim import Found
from galvo_bench.method.interval import interval
from galvo_bench.results.model import Section, Values
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand

TASKS = (1, 16)
"""Gets at once; what is promised is judged at the last."""
GETS = 960
"""Of a turn."""
PROMISED = 1e-3
"""Seconds."""
PLAIN, GALVO = "redis.asyncio GET, decoded", "galvo L2 get, decoded"
AGAIN = "redis.asyncio again (A/A)"


class Turn(msgspec.Struct, frozen=True):
    """Seconds."""

    p50: float
    p99: float


async def measure(stand: Stand) -> Found:
    """Rounds of both, and of redis.asyncio again."""
    records = await sample(stand)
    url = await stand.redis()
    async with resources() as stack:
        client = Redis.from_url(url)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(client.flushdb)
        readers, _ = await readers_of(url, records, stack, peers={})
        by_name = {reader.name: reader for reader in readers}
        crew = {PLAIN: by_name[PLAIN], GALVO: by_name[GALVO], AGAIN: by_name[PLAIN]}
        names = list(crew)
        found: dict[tuple[str, int], list[Turn]] = {(name, tasks): [] for name in names for tasks in TASKS}
        for number in range(-1, stand.rounds):  # the first one warms up
            at = number % len(names)
            for name in names[at:] + names[:at]:
                for tasks in TASKS:
                    one = await turn(crew[name], tasks)
                    if number >= 0:
                        found[name, tasks].append(one)
            stand.tick()
    return told(found)


def told(found: dict[tuple[str, int], list[Turn]]) -> Found:
    many = TASKS[-1]
    plain, galvo, again = ([one.p99 for one in found[name, many]] for name in (PLAIN, GALVO, AGAIN))
    low, high = interval(galvo)
    rows = [
        Values(
            name,
            {
                f"{which}, {tasks} task{'s' * (tasks > 1)}, ms": 1e3
                * median(getattr(t, which) for t in found[name, tasks])
                for tasks in TASKS
                for which in ("p50", "p99")
            },
        )
        for name in (PLAIN, GALVO, AGAIN)
    ]
    alone = median(one.p99 for one in found[PLAIN, TASKS[0]])
    able = alone <= PROMISED
    busy = "" if able else f" One of its gets by itself takes {1e3 * alone:.1f} ms here: this machine is too busy."
    explains = (
        f"99th percentile of gets from L2 by {many} tasks at once: 20 rows of 8 columns, about 3 KB, rows decoded. "
        f"Plain is redis.asyncio and pickle.{busy}"
    )
    return Found(
        plain=median(plain),
        galvo=median(galvo),
        middle=median(galvo),
        low=low,
        high=high,
        noise=interval([mine / base for mine, base in zip(again, plain, strict=True)]),
        explains=explains,
        able=able,
        sections=[Section("redis", "A get from L2", "Each waits for its answer.", [*rows])],
    )


async def turn(reader: Reader, tasks: int) -> Turn:
    """Every task asks for keys of its own, one after the other."""
    each = GETS // tasks
    took: list[float] = []

    async def task(first: int) -> None:
        for key in reader.keys[first : first + each]:
            began = perf_counter()
            await reader.get(key)
            took.append(perf_counter() - began)

    gc.collect()
    gc.disable()
    try:
        await asyncio.gather(*(task(number * each) for number in range(tasks)))
    finally:
        gc.enable()
    took.sort()
    return Turn(took[len(took) // 2], took[int(len(took) * 0.99)])
