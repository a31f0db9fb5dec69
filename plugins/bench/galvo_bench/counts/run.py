"""Starts what counts: processes of their own, in which nothing else has happened."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import msgspec

from galvo import GalvoError
from galvo_bench.load.processes import child
from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand

GROUPS = {"shop": "application", "kernel": "paths", "pool": "pools", "allocations": "allocations"}
"""By name, the module that counts."""
MADE = "^galvo_bench_counts(_[0-9])?$"
"""Databases."""
ALIKE = dict.fromkeys(("PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG"), "")
ALIKE["PYTHONHASHSEED"] = "0"
"""Sets are in the same order, and nothing is allocated for a debugger."""


async def measure(stand: Stand) -> list[Section]:
    """What each operation asks of PostgreSQL and Redis, and allocates: counted, not timed."""
    return await counted(stand, GROUPS)


async def counted(stand: Stand, groups: Iterable[str], plugin: str = "") -> list[Section]:
    """A process for each group. `plugin`, as "name=module:class", is loaded into all kernels, outermost.

    Raises GalvoError.
    """
    postgres, redis = await stand.postgres(), await stand.redis()
    sections: list[Section] = []
    try:
        for group in groups:
            asked = {"module": GROUPS[group], "postgres": postgres, "redis": redis, "plugin": plugin}
            async with child(f"counting {group}", "galvo_bench.counts.child", env=ALIKE) as process:
                process.tell(asked)
                try:
                    answer = await process.hear()
                except GalvoError as error:
                    raise GalvoError(stand.scrubbed(str(error))) from None
            sections += msgspec.convert(answer["sections"], list[Section])
            stand.tick()
    finally:
        if stand.borrowed:
            await _clean(postgres)
    return sections


async def _clean(url: str) -> None:
    """Of a process that was killed, too."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("drop table if exists galvo_bench_counted")
        for (name,) in await connection.fetch(f"select datname from pg_database where datname ~ '{MADE}'"):  # noqa: S608
            await connection.execute(f"drop database if exists {name} with (force)")
    finally:
        await connection.close()
