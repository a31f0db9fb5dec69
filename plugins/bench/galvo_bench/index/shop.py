"""The engraving shop's own requests: what advice does to its pages and to all of its work, reads and writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from galvo_bench.index.advice import advised
from galvo_bench.index.backend import connect
from galvo_bench.index.bank import report
from galvo_bench.index.database import hypothetical, tell
from galvo_bench.index.lanes import Single, compare, lanes
from galvo_bench.index.report import Report
from galvo_bench.index.sets import IndexSet
from galvo_engraving import reads, workload
from galvo_engraving.demo.databases import with_database
from galvo_engraving.load import load
from galvo_engraving.schema import TABLES
from galvo_engraving.world import Client, World
from galvo_index.workload import Statement

NAME = "galvo_bench_shop"
REQUESTS = 3_000
"""Of the workload in a round."""
PAGES = 200
"""Project pages in a round."""
SECONDARY = """
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid::regclass::text like 'engraving.%'
        and not exists (select from pg_constraint where conindid = indexrelid)
    order by 1
"""
VARIANTS = {"as it is": False, "without its secondary indexes": True}
ADVISED, BY_HAND = "with the advice", "with those by hand"
VACUUM = f"vacuum (analyze) {', '.join(f'engraving.{table}' for table in TABLES)}"


async def measure(url: str, options: Any) -> AsyncGenerator[Report, None]:
    """As it is, and without its secondary indexes: each all requests, and the project pages. Raises GalvoError."""
    top = await connect(url)
    try:
        await top.execute(f"drop database if exists {NAME} with (force)")
        await top.execute(f"create database {NAME}")
        for title, bare in VARIANTS.items():
            async for found in _measure(url, options, title, bare=bare):
                yield found
    finally:
        await top.execute(f"drop database if exists {NAME} with (force)")
        await top.close()


async def _measure(url: str, options: Any, title: str, *, bare: bool) -> AsyncGenerator[Report, None]:
    world, advice, statements, by_hand = await _asked(with_database(url, NAME), options.scale, bare=bare)
    names = ["without", ADVISED, *([BY_HAND] if bare else [])]
    async with lanes(url, NAME, names) as crew:
        for index in advice.indexes:
            tell(f"creating an index on {index}")
            await crew[ADVISED].execute(f"create index on {index}")
        for definition in by_hand:
            await crew[BY_HAND].execute(definition)
        for what, work in (("project pages", _pages(world)), ("all requests", _requests(world))):
            for lane in crew.values():
                await lane.execute(VACUUM)
            changes = await compare(crew, work, options.rounds, tell)
            yield report(f"The shop {title}: {what}", changes, advice, statements)


async def _asked(url: str, scale: float, *, bare: bool) -> tuple[World, IndexSet, list[Statement], list[str]]:
    """Watch some requests, ask for advice; last: the definitions of the indexes that were dropped."""
    connection = await connect(url)
    try:
        tell("loading the shop")
        await load(connection, scale)
        await hypothetical(connection)
        dropped = await connection.fetch(SECONDARY) if bare else []
        for row in dropped:
            await connection.execute(f"drop index {row['name']}")
        await connection.execute(VACUUM)
        watched = Single(connection)
        world = await World.read(watched)
        watched = Single(connection)
        await workload.run(watched, world, clients=1, seed=99, requests=REQUESTS)
        tell("asking galvo")
        statements = watched.statements()
        return world, await advised(connection, statements), statements, [row["definition"] for row in dropped]
    finally:
        await connection.close()


def _pages(world: World) -> Callable[[Single, int], Awaitable[None]]:
    async def pages(lane: Single, number: int) -> None:
        client = Client(world, number, 0, 1)
        for _ in range(PAGES):
            await reads.project_page(lane, client)

    return pages


def _requests(world: World) -> Callable[[Single, int], Awaitable[None]]:
    async def requests(lane: Single, number: int) -> None:
        outcome = await workload.run(lane, world, clients=1, seed=number, requests=REQUESTS)
        if outcome.errors:
            raise RuntimeError(outcome.first_error)

    return requests
