"""Pools beside each other: what taking a connection, a query, a batch and COPY ask of PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg

from galvo import Kernel
from galvo_bench.counts import pins
from galvo_bench.counts.galvanised import quiet, ready
from galvo_bench.counts.paths import EXPLAINS, READ, TABLE, UNCACHED, WRITE, table
from galvo_bench.counts.wires import SUBJECT, Quiet, Wires, at_once, wired
from galvo_bench.results.model import Section
from galvo_pool import create_pool

ONE: dict[str, Any] = {"min_size": 1, "max_size": 1}
COLUMNS = ["id", "name", "price"]
ROWS = [(number, f"more {number}", 1.5) for number in range(1_000, 1_100)]
ADD = "insert into galvo_bench_counted values ($1, $2, $3)"
EMPTY = "delete from galvo_bench_counted where id >= 1000"
ALL = "select id from galvo_bench_counted"


async def measure(postgres: str, redis: str, root: Path) -> list[Section]:
    """A section for asyncpg's pool, one for galvo's without a kernel, one for the drop-in with everything on."""
    found: list[Section] = []
    async with table(postgres), wired(postgres) as wires:
        async with asyncpg.create_pool(wires.postgres, **ONE) as pool:
            found.append(await _section("pool: asyncpg.Pool", wires, pool))
        async with create_pool(wires.postgres, kernel=None, check_after_idle=pins.DAY, **ONE) as alone:
            found.append(await _section("pool: galvo, no kernel", wires, alone))
        made = Kernel.from_settings(root, overrides=pins.settings(wires.postgres))
        async with create_pool(wires.postgres, kernel=made, check_after_idle=pins.DAY, **ONE) as whole:
            await ready(made)
            found.append(await _section("pool: create_pool", wires, whole, lambda: quiet(made)))
    return found


async def _section(title: str, wires: Wires, pool: Any, quiet: Quiet = at_once) -> Section:
    rows = [await wires.during(name, step, quiet) for name, step in _steps(pool)]
    return Section(SUBJECT, title, f"{EXPLAINS}.", [*rows], exact=True)


def _steps(pool: Any) -> list[tuple[str, Callable[[], Awaitable[Any]]]]:
    async def take() -> None:
        async with pool.acquire():
            pass

    async def lent() -> None:
        async with pool.acquire() as connection:
            for _ in range(2):
                await connection.fetch(READ, 3)

    async def transaction() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetch(READ, 4)
            await connection.execute(WRITE, 4)

    async def setting() -> None:
        async with pool.acquire() as connection:
            await connection.execute("set work_mem = '5MB'")

    async def cursor() -> None:
        async with pool.acquire() as connection, connection.transaction():
            async for _ in connection.cursor(ALL, prefetch=50):
                pass

    return [
        ("take and give back", take),
        ("fetch, first", lambda: pool.fetch(READ, 1)),
        ("fetch", lambda: pool.fetch(READ, 2)),
        ("fetch, again", lambda: pool.fetch(READ, 2)),
        ("fetch, uncached", lambda: pool.fetch(UNCACHED, 2)),
        ("write", lambda: pool.execute(WRITE, 2)),
        ("fetch, after the write", lambda: pool.fetch(READ, 2)),
        ("lent: twice the same", lent),
        ("lent: a transaction", transaction),
        ("lent: a setting", setting),
        ("take after a setting", take),
        ("lent: a cursor", cursor),
        ("executemany, 100 rows", lambda: pool.executemany(ADD, ROWS)),
        ("COPY out, 200 rows", lambda: pool.copy_from_table(TABLE, output=BytesIO())),
        ("delete them", lambda: pool.execute(EMPTY)),
        ("COPY in, 100 rows", lambda: pool.copy_records_to_table(TABLE, records=ROWS, columns=COLUMNS)),
        ("delete them, again", lambda: pool.execute(EMPTY)),
    ]
