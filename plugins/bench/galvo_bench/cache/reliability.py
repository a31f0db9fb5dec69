"""Reads and writes while Redis dies, hangs and comes back: errors, wrong answers, how long everybody waits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from functools import partial

import asyncpg

from galvo_bench.cache.faults import FAULTS, Breakable, Fault
from galvo_bench.cache.reads_due import KEYS, PATIENCE, READS, WRITES, Load, Read, percentile, told
from galvo_bench.cache.through import WAYS, Source, Through, quiet
from galvo_bench.results.model import Missing, Plot, Point, Section, Values
from galvo_bench.running.peers import attempt
from galvo_bench.running.stand import Stand, must

COMPARED = ("galvo", "cashews", "aiocache")
BEFORE, DURING, AFTER = 1.0, 2.0, 2.0
"""Seconds."""
BUCKET = 0.1
"""Seconds of a point in the plot."""
LEAST = 0.1
"""ms: the plot's lowest."""
SCHEMA = """
    drop table if exists bench_reliable;
    create table bench_reliable (id int primary key, version int not null);
    insert into bench_reliable select n, 0 from generate_series(0, {keys}) n;
    analyze bench_reliable;
"""
SQL = "select version from bench_reliable where id = $1"
EXPLAINS = (
    f"{READS} reads and {WRITES} writes a second are due, of {KEYS} rows; they are written by another process than the "
    "one that reads, as far as the cache can tell. `wrong`: older than what its writer had been told to be done. "
    "`write ms`: the longest write. `failed`: its caller got an error, though the database had done it. "
    f"A read without an answer counts as {PATIENCE:g} s in p50 and p99. One run, without an interval: who errs is to "
    "be seen, small differences in time are not."
)


async def measure(stand: Stand) -> list[Section]:
    """Open-loop reads while Redis is killed, paused, restarted: errors, wrong answers, latencies of each cache."""
    url = await stand.postgres()
    async with AsyncExitStack() as stack:
        stack.enter_context(quiet())
        judge = await asyncpg.connect(url)
        stack.push_async_callback(judge.close)
        await judge.execute(SCHEMA.format(keys=KEYS))
        stack.push_async_callback(judge.execute, "drop table bench_reliable")
        sections = []
        for fault in FAULTS:
            rows: list[Values | Missing] = []
            lines: dict[str, list[Point]] = {}
            for name in COMPARED:
                await judge.execute("update bench_reliable set version = 0")
                load = await _one(stand, fault, name, Source(url, "", SQL), judge)
                if isinstance(load, Missing):
                    rows.append(load)
                    continue
                rows += _phases(name, load)
                lines[name] = _curve(load.reads)
                stand.tick()
            plot = Plot(f"Reads while Redis is {fault.name}", "s", "the slowest of 0.1 s, ms", lines, log_y=True)
            title = f"Redis is {fault.name}, after {BEFORE:g} s and for {DURING:g} s"
            sections.append(Section("reliability", title, f"{fault.explains} {EXPLAINS}", [*rows], plots=[plot]))
        return sections


async def _one(stand: Stand, fault: Fault, name: str, source: Source, judge: asyncpg.Connection) -> Load | Missing:
    redis = Breakable(stand, "reliability")
    await redis.start()
    source = Source(source.url, redis.url, source.sql)
    async with AsyncExitStack() as stack:
        pair: list[Through] = []
        for _ in range(2):
            made = await attempt(name, partial(WAYS[name], source, stack))
            if isinstance(made, Missing):
                return made
            pair.append(made)

        async def committed(key: int) -> int:
            return int(await judge.fetchval(SQL, key))

        reader, writer = pair
        for key in range(1, KEYS + 1):
            await reader.read(key)
        load = Load(reader, writer, committed)
        running = asyncio.create_task(load.run(BEFORE + DURING + AFTER))
        try:
            await asyncio.sleep(BEFORE)
            await fault.begin(redis)
            try:
                await asyncio.sleep(DURING)
            finally:
                await fault.end(redis)
            await running
        finally:
            running.cancel()
        must(bool(load.reads), "nothing was read")
    return load


def _phases(name: str, load: Load) -> list[Values]:
    ends = {"before": BEFORE, "during": BEFORE + DURING, "after": BEFORE + DURING + AFTER}
    rows, since = [], 0.0
    for phase, until in ends.items():
        reads, writes = ([one for one in own if since <= one.due < until] for own in (load.reads, load.writes))
        rows.append(Values(f"{name}, {phase}", told(reads, writes)))
        since = until
    return rows


def _curve(reads: list[Read]) -> list[Point]:
    """Slowest reads by when they were due."""
    buckets: dict[int, list[Read]] = defaultdict(list)
    for read in reads:
        buckets[int(read.due / BUCKET)].append(read)
    return [(number * BUCKET, max(LEAST, percentile(found, 99))) for number, found in sorted(buckets.items())]
