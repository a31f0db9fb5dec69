"""Rows written and read: one at a time, in batches, by COPY."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from galvo_bench.method.rounds import AGAIN, CLOCKS, Clock, Result, results
from galvo_bench.pool.crud_operations import FILL, OPERATIONS, ROWS, SCHEMA, Operation, Step
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
    """By turns, with both clocks at once. Raises GalvoError when a way has left other rows than it should."""
    steps = {way.name: operation.make(way) for way in everyone}
    names = [*steps, AGAIN]
    steps[AGAIN] = steps[everyone[0].name]
    times: dict[Clock, dict[str, list[float]]] = {clock: {name: [] for name in names} for clock in TITLES}
    for number in range(-1, stand.rounds):  # the first one warms up
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        for name in order[:: -1 if number % 2 else 1]:
            before, step = steps[name]
            await before()
            found = await _timed(step, operation.repeats())
            for clock, seconds in found.items():
                if number >= 0:
                    times[clock][name].append(seconds / operation.each())
        stand.tick()
    for way in everyone:
        left = await judge.fetch(f"select count(*), coalesce(sum(id), 0) from {way.table}")  # noqa: S608
        must(tuple(left[0]) == operation.expected(), f"{way.name} left other rows: {operation.name}")
    return {clock: results(own, stand.rounds) for clock, own in times.items()}


async def _timed(step: Step, repeats: int) -> dict[Clock, float]:
    """Seconds of one call."""
    gc.collect(0)
    gc.disable()
    try:
        began = {clock: now() for clock, now in CLOCKS.items()}
        for _ in range(repeats):
            await step()
        return {clock: (now() - began[clock]) / repeats for clock, now in CLOCKS.items()}
    finally:
        gc.enable()


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
