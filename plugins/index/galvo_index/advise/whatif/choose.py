"""The best way to ask that this database allows."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import asyncpg

from galvo_index.advise.catalog.load import Catalog
from galvo_index.advise.catalog.table import PAGE, Table
from galvo_index.advise.parse.workload import Read
from galvo_index.advise.whatif.backend import Backend
from galvo_index.advise.whatif.cost import Model, Relation, relation
from galvo_index.advise.whatif.guess import Guess
from galvo_index.advise.whatif.hypopg import HypoPG
from galvo_index.advise.whatif.sampled import Sampled


async def choose(
    connection: asyncpg.Connection, catalog: Catalog, read: Read, tables: Iterable[Table]
) -> tuple[Backend, str]:
    """And why it is no better one, in a sentence."""
    tables = list(tables)
    size = PAGE * sum(table.pages for table in tables)
    missing = max(0.0, 1 - catalog.cache / max(size, 1))
    outside = max(0.0, 1 - catalog.buffers / max(2 * size, 1))  # which indexes and other tables share
    reason = "The database has no HypoPG: `create extension hypopg` makes the advice faster."
    if catalog.hypopg is not None:
        hypopg = HypoPG(connection, catalog.hypopg, Model(_relations(tables), missing, outside))
        try:
            await hypopg.start(tables)
            return hypopg, ""
        except asyncpg.PostgresError as error:
            reason = f"HypoPG cannot be used: {error}."
    unverified = "so the suggestions are from statistics alone, and unverified"
    if catalog.replica:
        return Guess(read.uses), f"{reason} On a replica no sample can be copied, {unverified}."
    if not catalog.temporary:
        return Guess(read.uses), f"{reason} This role may not make temporary tables, {unverified}."
    sampled = Sampled(connection, catalog, missing, outside)
    try:
        await sampled.start(tables)
    except asyncpg.PostgresError as error:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            await sampled.close()
        return Guess(read.uses), f"{reason} No sample can be copied ({error}), {unverified}."
    return sampled, reason


def _relations(tables: Iterable[Table]) -> dict[str, Relation]:
    """Of tables with the same name in different schemas, the largest."""
    every = [leaf for table in tables for leaf in (table, *table.leaves)]
    return {table.plain: relation(table) for table in sorted(every, key=lambda table: table.pages)}
