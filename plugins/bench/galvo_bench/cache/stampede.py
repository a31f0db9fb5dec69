"""Many tasks miss the same key at once: how many of them ask the database, in one process and in two."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from statistics import median

import asyncpg
import msgspec
from redis.asyncio import Redis

from galvo_bench.cache.through import WAYS, Rows, Source
from galvo_bench.counts.proxy import Counts, counted
from galvo_bench.load.processes import Child, child
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.stand import Stand, must

TASKS = 40
ROWS = 600
"""Of a table that is joined with itself: a read takes tens of milliseconds, so that nobody comes too late to miss."""
SCHEMA = """
    drop table if exists bench_stampede;
    create table bench_stampede (id int primary key, price numeric not null);
    insert into bench_stampede select n, n * 1.5 from generate_series(1, {rows}) n;
    analyze bench_stampede;
"""
SQL = """
    select count(*), sum(a.price * b.price)::float8 from bench_stampede a, bench_stampede b
    where a.id <> b.id + $1"""
EXPLAINS = (
    f"{TASKS} tasks read one key that nobody has, all in one process and half of them in each of two. `asked`: queries "
    "that reached PostgreSQL, counted on the wire, the most of all rounds (a new key in each); `ms`: until the last "
    "task had its answer, their median. galvo is asked when it uses its Redis, about a second after its start."
)


async def measure(stand: Stand) -> list[Section]:
    """Tasks that all miss one key: queries that reach the database, counted, through each cache."""
    url, redis = await stand.postgres(), await stand.redis()
    counts = Counts()
    async with AsyncExitStack() as stack:
        client: Redis = Redis.from_url(redis)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(client.flushall)
        judge = await asyncpg.connect(url)
        stack.push_async_callback(judge.close)
        await judge.execute(SCHEMA.format(rows=ROWS))
        stack.push_async_callback(judge.execute, "drop table bench_stampede")
        source = Source(await stack.enter_async_context(counted(url, counts)), redis, SQL)
        herds = [await _herd(number, source, stack) for number in (1, 2)]
        rows: list[Values | Missing] = []
        for name in WAYS:
            await client.flushall()
            rows.append(await _run(name, herds, counts, judge, stand.few))
            stand.tick()
    return [Section("stampede", "Stampede: queries for one key that everybody misses", EXPLAINS, [*rows])]


async def _herd(number: int, source: Source, stack: AsyncExitStack) -> Child:
    herd = await stack.enter_async_context(child(f"herd {number}", "galvo_bench.cache.herd"))
    herd.tell(msgspec.to_builtins(source))
    return herd


async def _run(
    name: str, herds: list[Child], counts: Counts, judge: asyncpg.Connection, rounds: int
) -> Values | Missing:
    """Raises GalvoError for a wrong answer."""
    for herd in herds:
        herd.tell({"open": name})
    for ready in await asyncio.gather(*(herd.hear() for herd in herds)):
        missing = ready.get("missing")
        if missing:
            return Missing(name, missing)
    asked: dict[int, list[float]] = {1: [], 2: []}
    took: dict[int, list[float]] = {1: [], 2: []}
    for key, crowd in enumerate([herds[:1], herds] * rounds, 1):
        counts.clear()
        for herd in crowd:
            herd.tell({"read": key, "tasks": TASKS // len(crowd)})
        answers = await asyncio.gather(*(herd.hear() for herd in crowd))
        asked[len(crowd)].append(counts["queries"])
        took[len(crowd)].append(max(answer["seconds"] for answer in answers) * 1e3)
        truth: Rows = [tuple(row) for row in await judge.fetch(SQL, key)]
        for answer in answers:
            must(answer["answers"] == [[list(row) for row in truth]], f"{name} gives another answer than the database")
    found = {f"{many}: {head}": value for many in asked
             for head, value in (("asked", max(asked[many])), ("ms", median(took[many])))}  # fmt: skip
    return Values(name, found)
