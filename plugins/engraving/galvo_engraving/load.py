"""Puts a generated shop into a database, by COPY, and says how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

import asyncpg

from galvo_engraving import schema
from galvo_engraving.generate import Generator

VERSION = 2
"""Of the generated data: raise it with any change that makes other rows."""
BATCH = 5_000
"""Rows per COPY: large enough to be fast, small enough for a smooth progress bar and a quick Ctrl-C."""

Progress = Callable[[int, int], Awaitable[None]]
"""Called with the rows done and the rows in all."""

Connection = Any
"""An asyncpg connection, lent by a pool or not: COPY is asyncpg's own."""


async def loaded(con: Connection, scale: float, seed: int) -> bool:
    """Whether a complete load of exactly this data is there."""
    try:
        marker = await con.fetchrow("select version, scale, seed from engraving.generation")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.UndefinedColumnError):
        return False
    return marker is not None and tuple(marker) == (VERSION, float(scale), seed)


async def load(con: Connection, scale: float = 1.0, seed: int = 1, progress: Progress | None = None) -> bool:
    """Fill the database, replacing whatever shop is there; False when the very same data is already there.

    The marker that says "complete" is written last, so an interrupted load is done again from the start.
    """
    if await loaded(con, scale, seed):
        return False
    generator = Generator(scale, seed)
    counts = generator.counts()
    total, done = sum(counts.values()), 0
    await schema.drop(con)
    await schema.create(con)
    for table in schema.TABLES:
        records = generator.records(table)
        while batch := list(islice(records, BATCH)):
            await con.copy_records_to_table(
                table, schema_name="engraving", columns=generator.columns[table], records=batch
            )
            done += len(batch)
            if progress is not None:
                await progress(done, total)
        if "id" in generator.columns[table]:
            # Generated ids are given, so the sequence has to be told where to go on.
            await con.execute(f"alter table engraving.{table} alter id restart with {counts[table] + 1}")
    await con.execute("vacuum (analyze) " + ", ".join(f"engraving.{table}" for table in schema.TABLES))
    await con.execute(
        "insert into engraving.generation values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *(VERSION, float(scale), seed, counts["user_account"], counts["material"], counts["laser_setting"]),
        *(counts["box_template"], counts["project"], counts["project_part"], counts["job"]),
    )
    return True
