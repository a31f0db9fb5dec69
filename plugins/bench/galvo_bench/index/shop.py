"""The engraving shop's own requests: what advice does to its pages and to all of its work, reads and writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from galvo_bench.index.advice import advised
from galvo_bench.index.backend import connect
from galvo_bench.index.bank import report
from galvo_bench.index.database import Tell, hypothetical, tell
from galvo_bench.index.lanes import Change, Single, compare, lanes
from galvo_bench.index.report import Report
from galvo_bench.index.sets import IndexSet
from galvo_engraving import reads, workload
from galvo_engraving.demo.databases import with_database
from galvo_engraving.load import load
from galvo_engraving.schema import TABLES
from galvo_engraving.world import Client, World
from galvo_index.workload import Statement

Work = Callable[[Single, int], Awaitable[None]]
"""What a lane does in a round of that number."""
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
WITHOUT, ADVISED, BY_HAND = "without", "with the advice", "with those by hand"
VACUUM = f"vacuum (analyze) {', '.join(f'engraving.{table}' for table in TABLES)}"


class Lanes(msgspec.Struct, frozen=True):
    """Copies of the shop with different indexes, and what is known about all of them."""

    world: World
    crew: Mapping[str, Single]
    advice: IndexSet
    statements: list[Statement]
    """That were watched."""


async def measure(url: str, options: Any) -> AsyncGenerator[Report, None]:
    """As it is, and without its secondary indexes: each all requests, and the project pages. Raises GalvoError."""
    for title, bare in VARIANTS.items():
        async with shop_lanes(url, options.scale, bare=bare) as shop:
            for what, work in (("project pages", pages(shop.world)), ("all requests", requests(shop.world))):
                changes = await turns(shop, work, options.rounds, tell)
                yield report(f"The shop {title}: {what}", changes, shop.advice, shop.statements)


@asynccontextmanager
async def shop_lanes(url: str, scale: float, *, bare: bool, each: Tell = tell) -> AsyncIterator[Lanes]:
    """Without advice, with it, and (if `bare`) with the indexes that were dropped. Raises GalvoError."""
    top = await connect(url)
    try:
        await top.execute(f"drop database if exists {NAME} with (force)")
        await top.execute(f"create database {NAME}")
        world, advice, statements, by_hand = await _asked(with_database(url, NAME), scale, bare=bare, each=each)
        async with lanes(url, NAME, [WITHOUT, ADVISED, *([BY_HAND] if bare else [])]) as crew:
            for index in advice.indexes:
                each(f"creating an index on {index}")
                await crew[ADVISED].execute(f"create index on {index}")
            for definition in by_hand:
                await crew[BY_HAND].execute(definition)
            yield Lanes(world, crew, advice, statements)
    finally:
        await top.execute(f"drop database if exists {NAME} with (force)")
        await top.close()


async def turns(shop: Lanes, work: Work, rounds: int, each: Tell) -> dict[str, Change]:
    for lane in shop.crew.values():
        await lane.execute(VACUUM)
    return await compare(shop.crew, work, rounds, each)


async def _asked(
    url: str, scale: float, *, bare: bool, each: Tell
) -> tuple[World, IndexSet, list[Statement], list[str]]:
    """Watch some requests, ask for advice; last: the definitions of the indexes that were dropped."""
    connection = await connect(url)
    try:
        each("loading the shop")
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
        each("asking galvo")
        statements = watched.statements()
        return world, await advised(connection, statements), statements, [row["definition"] for row in dropped]
    finally:
        await connection.close()


def pages(world: World, count: int = PAGES) -> Work:
    """Project pages alone."""

    async def work(lane: Single, number: int) -> None:
        client = Client(world, number, 0, 1)
        for _ in range(count):
            await reads.project_page(lane, client)

    return work


def requests(world: World, count: int = REQUESTS) -> Work:
    """Those of the whole workload."""

    async def work(lane: Single, number: int) -> None:
        outcome = await workload.run(lane, world, clients=1, seed=number, requests=count)
        if outcome.errors:
            raise RuntimeError(outcome.first_error)

    return work
