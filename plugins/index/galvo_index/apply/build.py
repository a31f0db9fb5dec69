"""Builds one index, step by step, each of them written down first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from galvo import GalvoError
from galvo_index.apply.create_index import parsed
from galvo_index.apply.journal import Entry, Journal
from galvo_index.apply.limits import Limits
from galvo_index.apply.ours import find
from galvo_index.apply.sums import Sums
from galvo_index.database import Connect
from galvo_index.lanes import GONE, giving_way


async def build(connect: Connect, connection: asyncpg.Connection, entry: Entry, limits: Limits,
                before: Sums | None) -> Entry:  # fmt: skip
    """From `intended` to a valid index, still under the name that only this build gives.

    Raises PostgresError, and then there may be an INVALID one, which `leftovers.settle` drops.
    """
    entry = await Journal(connection).move(entry, "building", before=before)
    (definition,) = parsed(entry.definition)
    async with giving_way(connect, connection, limits.lock), callers_names(connection):
        await connection.execute(definition.sql(entry.building_name, concurrently=True))
    return entry


async def complete(connection: asyncpg.Connection, entry: Entry, sums: Sums | None) -> Entry:
    """From there to `built`: real name, comment and journal change together. `sums`: of the statements, now.

    Raises GalvoError when it is gone or not valid.
    """
    async with connection.transaction():
        found = await find(connection, entry)
        if found is None or not found.valid:
            raise GalvoError(f"{entry.building_name} is not complete")
        (definition,) = parsed(entry.definition)
        await _comment(connection, found.quoted, entry)
        await connection.execute(f"alter index {found.quoted} rename to {definition.name}")
        entry = await Journal(connection).move(entry, "built", index_oid=found.oid, at_build=sums)
    if definition.where or any("(" in key for key in definition.keys):  # these have statistics of their own
        with suppress(asyncpg.PostgresError):
            await connection.execute(f"analyze (skip_locked) {entry.table_name}")
    return entry


async def _comment(connection: asyncpg.Connection, index: str, entry: Entry) -> None:
    gain = "" if entry.predicted is None else f"; predicted gain {entry.predicted:.0%}"
    text = f"galvo: {entry.reason}{gain}; {entry.times['intended']:%Y-%m-%d %H:%M:%SZ} {entry.mark}"
    quoted = await connection.fetchval("select pg_catalog.quote_literal($1::text)", text)
    await connection.execute(f"comment on index {index} is {quoted}")


@asynccontextmanager
async def callers_names(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Inside, names resolve as they do for the role: operator classes and functions may be anywhere."""
    await connection.execute("reset search_path")
    try:
        yield
    finally:
        with suppress(asyncpg.PostgresError, *GONE):  # then it is of no more use anyway
            await connection.execute("set search_path = pg_catalog")
