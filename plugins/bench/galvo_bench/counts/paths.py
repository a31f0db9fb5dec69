"""The kernel's paths: what each asks of PostgreSQL and Redis, alone and with another process that shares its cache."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from galvo import Kernel
from galvo_bench.counts import pins
from galvo_bench.counts.galvanised import kernel, quiet, undisturbed
from galvo_bench.counts.wires import SUBJECT, Wires, wired
from galvo_bench.results.model import Section, Values

NAMESPACE = "galvo-bench-counts"
TABLE = "galvo_bench_counted"
SCHEMA = """
    drop table if exists galvo_bench_counted;
    create table galvo_bench_counted (id int primary key, name text not null, price numeric not null);
    insert into galvo_bench_counted select n, 'material ' || n, n * 1.5 from generate_series(1, 100) n;
"""
READ = "select id, name, price from galvo_bench_counted where id = $1"
# `random()` keeps it out of every cache.
UNCACHED = "select id, name, price, random() from galvo_bench_counted where id = $1"
WRITE = "update galvo_bench_counted set price = price + 1 where id = $1"
EXPLAINS = "Counted on the wire: queries, round trips, resets of connections, bytes to and from PostgreSQL"
SHARED = (
    f"{EXPLAINS}; commands to Redis, bytes of answers there. Two processes on one Redis; what both ask is counted, "
    "the other's acknowledgement of a write as well."
)
Step = tuple[str, Callable[[], Awaitable[Any]]]


async def measure(postgres: str, redis: str, root: Path) -> list[Section]:
    """A section for one process without Redis, and one for two that share theirs."""
    async with table(postgres):
        async with wired(postgres) as wires, kernel(root, wires.postgres) as ours:
            rows = await _counted(wires, _alone(ours), ours)
        sections = [Section(SUBJECT, "kernel: one process", f"{EXPLAINS}.", [*rows], exact=True)]
        async with (
            pins.shared(redis, NAMESPACE),
            wired(postgres, redis) as wires,
            kernel(root, wires.postgres, wires.redis, NAMESPACE) as ours,
            kernel(root, wires.postgres, wires.redis, NAMESPACE) as other,
        ):
            rows = await _counted(wires, _together(ours, other), ours, other)
        return [*sections, Section(SUBJECT, "kernel: two processes", SHARED, [*rows], exact=True)]


@asynccontextmanager
async def table(postgres: str) -> AsyncIterator[None]:
    """Of a hundred materials."""
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(SCHEMA)
        yield
    finally:
        await connection.execute(f"drop table if exists {TABLE}")
        await connection.close()


async def _counted(wires: Wires, steps: list[Step], *kernels: Kernel) -> list[Values]:
    async def all_quiet() -> None:
        for one in kernels:
            await quiet(one)

    rows = [await wires.during(name, step, all_quiet) for name, step in steps]
    for one in kernels:
        undisturbed(one)
    return rows


def _alone(kernel: Kernel) -> list[Step]:
    async def transaction() -> None:
        async with kernel.transaction() as tx:
            await tx.fetch(READ, 4)
            await tx.execute(WRITE, 4)

    return [
        ("first run", lambda: kernel.fetch(READ, 1)),
        ("miss", lambda: kernel.fetch(READ, 2)),
        ("L1 hit", lambda: kernel.fetch(READ, 2)),
        ("fetchrow, miss", lambda: kernel.fetchrow(READ, 2)),
        ("fetchrow, L1 hit", lambda: kernel.fetchrow(READ, 2)),
        ("write, first", lambda: kernel.execute(WRITE, 3)),
        ("write", lambda: kernel.execute(WRITE, 2)),
        ("the written row", lambda: kernel.fetch(READ, 2)),
        ("another row", lambda: kernel.fetch(READ, 1)),
        ("transaction, first", transaction),
        ("transaction", transaction),
        ("cached(), first", lambda: _value(kernel)),
        ("cached(), again", lambda: _value(kernel)),
        ("cached(), written", lambda: _rewritten(kernel)),
        ("uncached, first", lambda: kernel.fetch(UNCACHED, 1)),
        ("uncached", lambda: kernel.fetch(UNCACHED, 1)),
        ("executemany, 100 rows", lambda: kernel.executemany(WRITE, [(number,) for number in range(1, 101)])),
    ]


def _together(ours: Kernel, other: Kernel) -> list[Step]:
    async def transaction() -> None:
        async with ours.transaction() as tx:
            await tx.execute(WRITE, 4)
            await tx.execute(WRITE, 5)

    return [
        ("first run", lambda: ours.fetch(READ, 1)),
        ("miss", lambda: ours.fetch(READ, 2)),
        ("L1 hit", lambda: ours.fetch(READ, 2)),
        ("L2 hit, first", lambda: other.fetch(READ, 1)),
        ("L2 hit", lambda: other.fetch(READ, 2)),
        ("write, first", lambda: ours.execute(WRITE, 3)),
        ("write", lambda: ours.execute(WRITE, 2)),
        ("the written row", lambda: other.fetch(READ, 2)),
        ("the same, L2 hit", lambda: ours.fetch(READ, 2)),
        ("another row", lambda: other.fetch(READ, 1)),
        ("transaction, first", transaction),
        ("transaction", transaction),
        ("cached(), first", lambda: _value(ours)),
        ("cached(), the other", lambda: _value(other)),
        ("cached(), written", lambda: _rewritten(ours)),
    ]


async def _value(kernel: Kernel) -> Any:
    return await kernel.cached("counted", lambda: kernel.fetchval(UNCACHED, 1), depends_on=[TABLE])


async def _rewritten(kernel: Kernel) -> Any:
    await kernel.execute(WRITE, 1)
    return await _value(kernel)
