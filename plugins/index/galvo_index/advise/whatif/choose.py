"""The best way to ask that this database allows."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import asyncpg

from galvo_index.advise.catalog.load import Catalog
from galvo_index.advise.catalog.table import Table
from galvo_index.advise.parse.workload import Read
from galvo_index.advise.whatif.backend import Backend
from galvo_index.advise.whatif.guess import Guess
from galvo_index.advise.whatif.hypopg import HypoPG
from galvo_index.advise.whatif.sampled import Sampled


async def choose(
    connection: asyncpg.Connection, catalog: Catalog, read: Read, tables: Iterable[Table]
) -> tuple[Backend, str]:
    """And why it is no better one, in a sentence."""
    tables = list(tables)
    reason = "The database has no HypoPG: `create extension hypopg` makes the advice faster."
    if catalog.hypopg is not None:
        hypopg = HypoPG(connection, catalog.hypopg)
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
    sampled = Sampled(connection, catalog)
    try:
        await sampled.start(tables)
    except asyncpg.PostgresError as error:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            await sampled.close()
        return Guess(read.uses), f"{reason} No sample can be copied ({error}), {unverified}."
    return sampled, reason
