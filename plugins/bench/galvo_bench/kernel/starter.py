"""One start of an application's database side, in a process of its own: `python -m galvo_bench.kernel.starter WAY`.

Reads from standard input, as JSON, when it was started (`time.monotonic`), and the servers that are up already. Only
what the way itself needs is imported, and that is counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic, process_time
from typing import Any

READ = "select id, name, price from bench_material where id = $1"
SIZE = 2
"""Connections opened at the start: galvo's default."""

Fetch = Callable[[str], Awaitable[Any]]
Told = dict[str, float]


@asynccontextmanager
async def asyncpg(url: str, redis: str, told: Told, size: int = SIZE) -> AsyncIterator[Fetch]:
    import asyncpg

    told["imported"] = monotonic()
    async with asyncpg.create_pool(url, min_size=size, max_size=max(10, size)) as pool:
        yield lambda sql: pool.fetch(sql, 7)


@asynccontextmanager
async def asyncpg_ten(url: str, redis: str, told: Told) -> AsyncIterator[Fetch]:
    async with asyncpg(url, redis, told, 10) as fetch:
        yield fetch


@asynccontextmanager
async def psycopg(url: str, redis: str, told: Told) -> AsyncIterator[Fetch]:
    from psycopg_pool import AsyncConnectionPool

    told["imported"] = monotonic()
    async with AsyncConnectionPool(url, min_size=SIZE, open=False) as pool:

        async def fetch(sql: str) -> Any:
            async with pool.connection() as connection:
                return await (await connection.execute(sql.replace("$1", "%s"), (7,))).fetchall()

        await pool.wait()
        yield fetch


@asynccontextmanager
async def pool_alone(url: str, redis: str, told: Told) -> AsyncIterator[Fetch]:
    from galvo_pool import create_pool

    told["imported"] = monotonic()
    async with create_pool(url, kernel=None, min_size=SIZE, max_size=10) as pool:
        yield lambda sql: pool.fetch(sql, 7)


@asynccontextmanager
async def everything(url: str, redis: str, told: Told) -> AsyncIterator[Fetch]:
    """With every plugin but the one that starts servers; their settings are read, and all of them imported."""
    from galvo import Kernel

    overrides: Any = {
        "embedded": {"on": False},
        "pool": {"url": url, "min_size": SIZE},
        "cache": {"redis": redis},
        "tasks": {"broker": redis},
        **{name: {"on": True} for name in ("index", "memory", "monitor")},
    }
    kernel = Kernel.from_settings(overrides=overrides)
    told["imported"] = monotonic()
    async with kernel:
        missing = [info["name"] for info in kernel.plugins() if info["state"] != "active"]
        if missing != ["embedded"]:
            raise SystemExit(f"not running: {missing}")
        yield lambda sql: kernel.fetch(sql, 7)


WAYS = {
    "asyncpg": asyncpg, "asyncpg-10": asyncpg_ten, "psycopg": psycopg, "pool": pool_alone, "everything": everything,
}  # fmt: skip


def peak() -> float:
    """Bytes of RSS; 0 where there is no /proc. What getrusage tells may be those of the process that started this."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


async def started(way: str, began: float, url: str, redis: str) -> Told:
    """Seconds of each part, bytes of `rss` at its peak."""
    told = {"interpreter": monotonic() - began}
    async with WAYS[way](url, redis, told) as fetch:
        running = monotonic()
        rows = await fetch(READ)
        answered, cpu = monotonic(), process_time()
    if [row[0] for row in rows] != [7]:
        raise SystemExit(f"{way} gave another answer")
    imported = told.pop("imported")
    return {
        "ready": answered - began,
        "imports": imported - began,
        "start": running - imported,
        "first": answered - running,
        "stop": monotonic() - answered,
        "cpu": cpu,
        "rss": peak(),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(started(sys.argv[1], **json.load(sys.stdin)))))
