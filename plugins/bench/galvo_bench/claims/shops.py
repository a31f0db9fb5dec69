"""The engraving shop in databases of its own: loaded once and kept, copied for whoever writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import asyncpg

from galvo_engraving.demo.databases import with_database
from galvo_engraving.load import load
from galvo_engraving.world import Database, World

NAME = "galvo_bench_claims"
SCALE = 0.1


@asynccontextmanager
async def copies(url: str, lanes: Iterable[str]) -> AsyncIterator[tuple[World, dict[str, str]]]:
    """What clients know of it, and a DSN for each lane, whose copy is dropped at the end."""
    async with AsyncExitStack() as stack:
        top = await asyncpg.connect(url)
        stack.push_async_callback(top.close)
        if not await top.fetchval("select true from pg_database where datname = $1", NAME):
            await top.execute(f"create database {NAME}")
        own = await asyncpg.connect(with_database(url, NAME))
        try:
            await load(own, SCALE)
            world = await World.read(cast("Database", own))
        finally:
            await own.close()
        found = {}
        for number, lane in enumerate(lanes):
            name = f"{NAME}_{number}"
            await top.execute(f"drop database if exists {name} with (force)")  # left by a run that was killed
            await top.execute(f"create database {name} template {NAME}")
            stack.push_async_callback(top.execute, f"drop database if exists {name} with (force)")
            found[lane] = with_database(url, name)
        yield world, found
