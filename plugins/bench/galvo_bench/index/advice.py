"""galvo's own advice, asked as anybody would: a list of statements, a budget, nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterable

import asyncpg

from galvo_bench.index.sets import IndexSet, plain
from galvo_index.advise.advisor import advise
from galvo_index.workload import Statement

MB = 1_000_000


async def advised(
    connection: asyncpg.Connection, statements: Iterable[Statement], *, name: str = "galvo", budget: int | None = None
) -> IndexSet:
    """`budget` in MB. Raises GalvoError."""
    began = time.perf_counter()
    found = await advise(connection, list(statements), budget=None if budget is None else budget * MB)
    seconds = time.perf_counter() - began
    indexes = [plain(advice.definition.sql("").removeprefix("create index on ")) for advice in found]
    return IndexSet(name, tuple(indexes), budget=budget, seconds=seconds)
