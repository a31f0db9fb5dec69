"""One way to read many rows, in a process of its own: `python -m galvo_bench.memory.chunk_ways WAY URL ROWS`.

Peaks of memory are a process's, and nothing lowers them again; so each way has one that has done nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg

from galvo import Kernel
from galvo_memory import chunked, export

TABLE = "galvo_bench_rows"
SQL = f"select * from {TABLE} where id <= $1"  # noqa: S608  # a constant
SCHEMA = f"""
    drop table if exists {TABLE};
    create table {TABLE} (
        id int primary key, customer int not null, made timestamptz not null, price numeric(10, 2) not null,
        note text not null, options jsonb not null
    );
    insert into {TABLE} select n, n % 5000, timestamptz '2026-01-01' + n * interval '1 minute', n % 1000 * 1.25,
        'engraving number ' || n, jsonb_build_object('power', n % 100, 'material', 'birch', 'passes', n % 7)
    from generate_series(1, {{rows}}) n;
"""  # noqa: S608
TICK = 0.001
"""Seconds between two looks at the event loop."""

Way = Callable[[str, int], Awaitable[int]]


@asynccontextmanager
async def _kernel(url: str) -> AsyncIterator[Kernel]:
    overrides: Any = {"pool": {"url": url, "min_size": 1, "max_size": 1}, "embedded": {"on": False}}
    async with Kernel.from_settings(overrides=overrides) as kernel:
        yield kernel


def _total(rows: list[Any]) -> int:
    return sum(row["id"] for row in rows)


async def fetch(url: str, rows: int, watch: Callable[[], None]) -> int:
    """All at once."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        watch()
        return _total(await pool.fetch(SQL, rows))


async def by_hand(url: str, rows: int, watch: Callable[[], None]) -> int:
    """asyncpg's cursor as its manual shows it."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        watch()
        total = 0
        async with connection.transaction():
            async for row in connection.cursor(SQL, rows):
                total += row["id"]
        return total


async def cursor(url: str, rows: int, watch: Callable[[], None]) -> int:
    async with _kernel(url) as kernel:
        watch()
        return sum([_total(chunk) async for chunk in chunked(kernel, SQL, rows)])


async def keyset(url: str, rows: int, watch: Callable[[], None]) -> int:
    async with _kernel(url) as kernel:
        watch()
        return sum([_total(chunk) async for chunk in chunked(kernel, SQL, rows, keyset="id")])


async def copy(url: str, rows: int, watch: Callable[[], None]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with _kernel(url) as kernel:
            watch()
            done = await export(kernel, SQL, rows, to=Path(folder) / "rows.csv")
        return done.rows * (done.rows + 1) // 2


WAYS: dict[str, Any] = {
    "asyncpg fetch": fetch,
    "fetch again (A/A)": fetch,
    "asyncpg cursor": by_hand,
    "chunked, cursor": cursor,
    "chunked, keyset": keyset,
    "export, COPY": copy,
}


async def run(way: str, url: str, rows: int) -> dict[str, float]:
    """Seconds, bytes above what the process had before, and the event loop's lag meanwhile, in seconds."""
    lags: list[float] = []
    began: list[float] = []
    before: list[int] = []

    async def look() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            lags.append(max(0.0, time.perf_counter() - due))

    def watch() -> None:
        gc.collect()
        gc.freeze()  # as the memory plugin does after the start; without it the collector looks at all modules, too
        Path("/proc/self/clear_refs").write_text("5")  # the peak is now what there is now
        before.append(_memory("VmRSS"))
        lags.clear()
        began.append(time.perf_counter())

    looking = asyncio.create_task(look())
    total = await WAYS[way](url, rows, watch)
    seconds = time.perf_counter() - began[0]
    looking.cancel()
    return {
        "total": total,
        "seconds": seconds,
        "peak": _memory("VmHWM") - before[0],
        "lag": quantiles(lags, n=100)[98],
        "worst": max(lags),
    }


def _memory(what: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) << 10
    raise LookupError(what)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
