"""`galvo bench`: what a cache hit and an uncached query cost through the whole default stack."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from galvo import GalvoError, Kernel
from galvo.blueprint import Overrides
from galvo_bench.method import Candidate, Result, compare
from galvo_embedded import Servers

READ = "select id, name, price from bench_material where id = $1"
# The same row, but `random()` keeps it out of every cache.
UNCACHED = "select id, name, price, random() from bench_material where id = $1"
SCHEMA = """
    drop table if exists bench_material;
    create table bench_material (id int primary key, name text not null, price numeric not null);
    insert into bench_material select n, 'material ' || n, n * 1.5 from generate_series(1, 1000) n;
    analyze bench_material;
"""


def main(argv: list[str]) -> int:
    """Exit code 0, or 1 when a peer or a server is missing."""
    parser = argparse.ArgumentParser(prog="galvo bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="rounds; every round runs each candidate once")
    parser.add_argument("--url", default="", help="a PostgreSQL to use instead of the embedded one")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    groups = asyncio.run(measure(options.url, options.rounds))
    if options.json:
        print(json.dumps(msgspec.to_builtins(groups)))
    else:
        for title, results in groups.items():
            show(title, results)
    return 0


async def measure(url: str, rounds: int) -> dict[str, list[Result]]:
    """Both groups, on `url` or on an embedded server."""
    servers = Servers(Path(".galvo"))
    try:
        return await _measure(url or await servers.postgres(), rounds)
    finally:
        servers.close()


async def _measure(url: str, rounds: int) -> dict[str, list[Result]]:
    overrides: Overrides = {"pool": {"url": url, "min_size": 4, "max_size": 4}, "embedded": {"on": False}}
    async with (
        asyncpg.create_pool(url, min_size=4, max_size=4) as pool,
        Kernel.from_settings(overrides=overrides) as kernel,
    ):
        await kernel.execute(SCHEMA)
        row = await kernel.fetch(READ, 7)
        hits = [
            Candidate("async def, dict item", _dict({7: row}), 20_000),
            Candidate("galvo fetch, L1 hit", lambda: kernel.fetch(READ, 7), 10_000),
            Candidate("cashews mem:// get", await _cashews(row), 3_000),
            Candidate("aiocache memory get", await _aiocache(row), 2_000),
            Candidate("asyncpg.Pool.fetch", lambda: pool.fetch(READ, 7), 200),
        ]
        uncached = [
            Candidate("asyncpg.Pool.fetch", lambda: pool.fetch(UNCACHED, 7), 400),
            Candidate("galvo fetch, uncached", lambda: kernel.fetch(UNCACHED, 7), 400),
        ]
        groups = {
            "a row from memory, wall time": await compare(hits, rounds, "wall", _tick),
            "a row from PostgreSQL, CPU of this process": await compare(uncached, rounds, "cpu", _tick),
        }
        await kernel.execute("drop table bench_material")
    _tick(end=True)
    return groups


def _dict(values: dict[int, Any]) -> Callable[[], Awaitable[Any]]:
    async def get(key: int) -> Any:
        return values[key]

    return lambda: get(7)


async def _cashews(value: Any) -> Callable[[], Awaitable[Any]]:
    cache = _peer("cashews").Cache()
    cache.setup("mem://")
    await cache.set("material:7", value, expire=3600)
    return lambda: cache.get("material:7")


async def _aiocache(value: Any) -> Callable[[], Awaitable[Any]]:
    cache = _peer("aiocache").Cache(_peer("aiocache").Cache.MEMORY)
    await cache.set("material:7", value, ttl=3600)
    return lambda: cache.get("material:7")


def _peer(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise GalvoError(f"peer {name!r} is not installed: pip install 'galvo-bench[peers]'") from None


def _tick(*, end: bool = False) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\n" if end else ".")
        sys.stderr.flush()


def show(title: str, results: list[Result]) -> None:
    """One table, at most 80 columns."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.add_column("")
    for head in ("per operation", "ratio", "quartiles"):
        table.add_column(head, justify="right")
    for result in results:
        quartiles = f"{result.low:.3g} to {result.high:.3g}"
        table.add_row(result.name, _human(result.seconds), f"{result.ratio:.3g}x", quartiles)
    Console().print(table)


def _human(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds >= 1e-6 else f"{seconds * 1e9:.0f} ns"
