"""Many rows read in chunks, by COPY and all at once: memory, time, and how long the event loop stands still."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import asyncpg

from galvo_bench.memory.chunk_ways import SCHEMA, TABLE, WAYS
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must

ROWS = 1_000_000
MOST = 5
"""Rounds: each takes half a minute."""


async def measure(stand: Stand) -> list[Section]:
    """A large result by fetch, cursors, chunks and COPY: peak memory, time, the event loop's lag."""
    url = await stand.postgres()
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    async with table(url, ROWS) as size:
        await read(next(iter(WAYS)), url, ROWS)  # has the table in memory for all
        for number in range(min(stand.rounds, MOST)):
            turn = number % len(WAYS)
            for way in [*WAYS][turn:] + [*WAYS][:turn]:
                found[way].append(await read(way, url, ROWS))
            stand.tick()
    base = next(iter(found.values()))
    rows = [Values(way, _row(own, base)) for way, own in found.items()]
    title = f"{ROWS:,} rows of 6 columns ({size >> 20} MiB): a process that reads them all"
    explains = (
        "MiB: peak of its memory above what it had before, median. Lag: how late a timer of 1 ms fires, in ms. "
        "The chunks are those of the whole default stack, 8 MiB."
    )
    return [Section("chunks", title, explains, [*rows])]


@asynccontextmanager
async def table(url: str, rows: int) -> AsyncIterator[int]:
    """Its bytes."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA.format(rows=rows))
        await connection.execute(f"vacuum analyze {TABLE}")
        size: int = await connection.fetchval("select pg_table_size($1::regclass)", TABLE)
        yield size
    finally:
        await connection.execute(f"drop table if exists {TABLE}")
        await connection.close()


def _row(own: list[dict[str, float]], base: list[dict[str, float]]) -> dict[str, float]:
    def middle(key: str) -> float:
        return median(run[key] for run in own)

    ratios = [mine["seconds"] / other["seconds"] for mine, other in zip(own, base, strict=True)]
    saved = [1 - mine["peak"] / other["peak"] for mine, other in zip(own, base, strict=True)]
    return {
        "MiB": middle("peak") / (1 << 20),
        "less %": 100 * median(saved),
        "s": middle("seconds"),
        "time": median(ratios),
        "lag p99": 1e3 * middle("lag"),
        "worst": 1e3 * middle("worst"),
    }


async def read(way: str, url: str, rows: int) -> dict[str, float]:
    """What that took, in a process of its own. Raises GalvoError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "galvo_bench.memory.chunk_ways", way, url, str(rows), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    must(process.returncode == 0, f"{way} ended with exit code {process.returncode}")
    found: dict[str, float] = json.loads(out)
    must(found["total"] == rows * (rows + 1) // 2, f"{way} has read other rows")
    return found
