"""Answers from Redis: one task, 100 tasks in step, 100 tasks out of step."""

from __future__ import annotations

import asyncio
import random

from redis.asyncio import Redis

from galvo_bench.cache.readers import GETS, Reader, processed, readers_of
from galvo_bench.cache.sample import sample
from galvo_bench.method.rounds import Candidate, Operation
from galvo_bench.results.model import Missing, Section, Values, inverted
from galvo_bench.running.peers import Lineup
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand

Pauses = list[list[int]]
"""For each task and get, how many turns of the loop to let pass before it."""
LOADS = {"1 task": (250, 1, 0), "100 in step": (GETS, 100, 0), "100 out of step": (GETS, 100, 5)}
"""Gets in all, tasks, and turns of the loop at most before a get."""
EXPLAINS = (
    "20 rows of 8 columns, about 3 KB, always another key. Bytes, or rows where it says decoded. "
    "Out of step: 0 to 5 sleep(0) before each get."
)


async def measure(stand: Stand) -> list[Section]:
    """A section for each load, and one with the counted commands."""
    records = await sample(stand)
    url = await stand.redis()
    async with resources() as stack:
        client = Redis.from_url(url)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(client.flushdb)
        readers, missing = await readers_of(url, records, stack)
        sections = []
        for load, shape in LOADS.items():
            lineup = Lineup(*[Candidate(reader.name, burst(reader, *shape), 1, each=shape[0]) for reader in readers])
            lineup.missing = missing
            rows = inverted(await lineup.compare(stand, "wall", rounds=stand.few))
            sections.append(Section("l2", f"L2 hit, tasks: {load}", EXPLAINS, rows, "throughput"))
        return [*sections, await _commands(client, readers, missing)]


def pauses_of(gets: int, tasks: int, most: int) -> Pauses:
    """The same for everybody, and in every run."""
    source = random.Random(42)  # noqa: S311  # a load, not a secret
    return [[source.randint(0, most) for _ in range(gets // tasks)] for _ in range(tasks)]


def burst(reader: Reader, gets: int, tasks: int, most: int) -> Operation:
    """All tasks at once; ends with the last."""
    get, keys, pauses, each = reader.get, reader.keys, pauses_of(gets, tasks, most), gets // tasks

    async def task(first: int, own: list[int]) -> None:
        for number, turns in enumerate(own, first):
            for _ in range(turns):
                await asyncio.sleep(0)
            await get(keys[number])

    async def run() -> None:
        await asyncio.gather(*[task(number * each, own) for number, own in enumerate(pauses)])

    return run


async def _commands(client: Redis, readers: list[Reader], missing: list[Missing]) -> Section:
    rows = []
    for reader in readers:
        counts = {}
        for load, shape in LOADS.items():
            run = burst(reader, *shape)
            await run()  # connections that were idle are pinged now, not while we count
            before = await processed(client)
            await run()
            counts[load] = (await processed(client) - before - 1) * GETS / shape[0]
        rows.append(Values(reader.name, counts))
    return Section("l2", f"L2 hit: Redis commands for {GETS:,} gets", "Counted by the server.", [*rows, *missing])
