"""Rows written and read: one at a time, in batches, by COPY."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from galvo_bench.method.rounds import AGAIN, Candidate, Clock, Result
from galvo_bench.method.turns import turns
from galvo_bench.pool.crud_operations import FILL, OPERATIONS, ROWS, SCHEMA, Operation
from galvo_bench.pool.crud_ways import Way, ways
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.stand import Stand, must

TABLE = "galvo_bench_crud"
TITLES: dict[Clock, str] = {"wall": "wall time", "cpu": "CPU time of this process"}


async def measure(stand: Stand) -> list[Section]:
    """Insert, read, update, delete: single rows, batches, COPY; each pool on a table of its own, which is checked."""
    url = await stand.postgres()
    sections: list[Section] = []
    async with ways(url, TABLE) as (everyone, missing), _tables(url, everyone) as judge:
        for operation in OPERATIONS:
            found = await _compared(stand, operation, everyone, judge)
            for clock, rows in found.items():
                title = f"{operation.name}: {TITLES[clock]}"
                sections.append(Section("crud", title, operation.explains, [*rows, *missing]))
    return [_summary(sections), *sections]


async def _compared(
    stand: Stand, operation: Operation, everyone: list[Way], judge: asyncpg.Connection
) -> dict[Clock, list[Result]]:
    """Raises GalvoError when a way has left other rows than it should."""
    candidates = []
    for way in everyone:
        before, step = operation.make(way)
        candidates.append(Candidate(way.name, step, operation.repeats(), operation.each(), before))
    found = await turns(candidates, stand.rounds, stand.tick)
    for way in everyone:
        left = await judge.fetch(f"select id, name, price from {way.table} order by id")  # noqa: S608
        made = (stand.rounds + 1) * (2 if way is everyone[0] else 1)  # with the warm-up; the baseline's A/A is its own
        must([*map(tuple, left)] == operation.expected(made), f"{way.name} left other rows: {operation.name}")
    return found


def _summary(sections: list[Section]) -> Section:
    rows: list[Result | Values | Missing] = [
        Values(
            section.title.removesuffix(f": {TITLES['wall']}").replace("Insert 100 rows", "100 rows"),
            {
                "A/A" if row.name == AGAIN else row.name: 1 / row.ratio
                for row in section.rows[1:]
                if isinstance(row, Result)
            },
        )
        for section in sections
        if section.title.endswith(TITLES["wall"])
    ]
    explains = (
        "Times as many as asyncpg.Pool does in the same time; the tables that follow have the intervals. "
        "Nobody waits for the disk (synchronous_commit = off)."
    )
    return Section("crud", "CRUD at a glance: speed, wall time", explains, rows)


@asynccontextmanager
async def _tables(url: str, everyone: list[Way]) -> AsyncIterator[asyncpg.Connection]:
    """A connection that nobody is measured on."""
    connection = await asyncpg.connect(url)
    try:
        for way in everyone:
            await connection.execute(SCHEMA.format(table=way.table) + FILL.format(table=way.table, rows=ROWS))
        await connection.execute("analyze")
        yield connection
    finally:
        for way in everyone:
            await connection.execute(f"drop table if exists {way.table}")
        await connection.close()
