"""What a cache hit and an uncached query cost through the whole default stack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from galvo import Kernel, Overrides
from galvo_bench.method.rounds import Candidate
from galvo_bench.results.model import Section
from galvo_bench.running.peers import Lineup, need
from galvo_bench.running.stand import Stand

READ = "select id, name, price from bench_material where id = $1"
# The same row, but `random()` keeps it out of every cache.
UNCACHED = "select id, name, price, random() from bench_material where id = $1"
SCHEMA = """
    drop table if exists bench_material;
    create table bench_material (id int primary key, name text not null, price numeric not null);
    insert into bench_material select n, 'material ' || n, n * 1.5 from generate_series(1, 1000) n;
    analyze bench_material;
"""


async def hit(stand: Stand) -> list[Section]:
    """One row that every cache has in this process."""
    async with _stack(stand) as (kernel, pool):
        row = await kernel.fetch(READ, 7)
        lineup = Lineup(
            Candidate("async def, dict item", _dict({7: row}), 20_000),
            Candidate("galvo fetch, L1 hit", lambda: kernel.fetch(READ, 7), 10_000),
        )
        await lineup.peer("dogpile memory get", lambda: _dogpile(row))
        await lineup.peer("cashews mem:// get", lambda: _cashews(row))
        await lineup.peer("aiocache memory get", lambda: _aiocache(row))
        lineup.add(Candidate("asyncpg.Pool.fetch", lambda: pool.fetch(READ, 7), 200))
        title = "L1 hit: a row from the memory of this process, wall time"
        explains = "galvo's whole default stack from SQL text to rows; the peers look up a ready key."
        return [Section("hit", title, explains, [*await lineup.compare(stand, "wall")])]


async def uncached(stand: Stand) -> list[Section]:
    """One row that no cache may keep."""
    async with _stack(stand) as (kernel, pool):
        lineup = Lineup(
            Candidate("asyncpg.Pool.fetch", lambda: pool.fetch(UNCACHED, 7), 400),
            Candidate("galvo fetch, uncached", lambda: kernel.fetch(UNCACHED, 7), 400),
        )
        title = "Uncached: a row from PostgreSQL, CPU time of this process"
        explains = "What galvo adds to a query that must reach the server."
        return [Section("uncached", title, explains, [*await lineup.compare(stand, "cpu")])]


@asynccontextmanager
async def _stack(stand: Stand) -> AsyncIterator[tuple[Kernel, Any]]:
    url = await stand.postgres()
    overrides: Overrides = {"pool": {"url": url, "min_size": 4, "max_size": 4}, "embedded": {"on": False}}
    async with (
        asyncpg.create_pool(url, min_size=4, max_size=4) as pool,
        Kernel.from_settings(overrides=overrides) as kernel,
    ):
        await kernel.execute(SCHEMA)
        yield kernel, pool
        await kernel.execute("drop table bench_material")


def _dict(values: dict[int, Any]) -> Callable[[], Awaitable[Any]]:
    async def get(key: int) -> Any:
        return values[key]

    return lambda: get(7)


async def _dogpile(value: Any) -> Candidate:
    region = need("dogpile.cache").make_region().configure("dogpile.cache.memory", expiration_time=3600)
    region.set("material:7", value)

    async def get() -> Any:
        return region.get("material:7")

    return Candidate("dogpile memory get", get, 5_000)


async def _cashews(value: Any) -> Candidate:
    cache = need("cashews").Cache()
    cache.setup("mem://")
    await cache.set("material:7", value, expire=3600)
    return Candidate("cashews mem:// get", lambda: cache.get("material:7"), 3_000)


async def _aiocache(value: Any) -> Candidate:
    cache = need("aiocache").Cache(need("aiocache").Cache.MEMORY)
    await cache.set("material:7", value, ttl=3600)
    return Candidate("aiocache memory get", lambda: cache.get("material:7"), 2_000)
