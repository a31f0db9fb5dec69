"""Drops one index of ours, without blocking anybody; again and again until it is gone."""

from __future__ import annotations

import asyncio

import asyncpg

from galvo import GalvoError
from galvo_index.apply.journal import Entry, Journal
from galvo_index.apply.limits import Limits
from galvo_index.apply.ours import Found, find
from galvo_index.database import Connect
from galvo_index.lanes import giving_way

BUSY = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError)
"""Somebody else was in the way, and will not be for ever."""


class Later(GalvoError):
    """An index could not be dropped yet; the journal knows, and the next run tries again."""


async def drop(connect: Connect, connection: asyncpg.Connection, entry: Entry, limits: Limits, note: str) -> Entry:
    """Ends in `dropped`. An interrupted drop leaves an INVALID index: the entry says `dropping`, and this can be
    called again. Raises Later when others are in the way for all of `limits.tries`.
    """
    journal = Journal(connection)
    for attempt in range(1, limits.tries + 1):
        try:
            if entry.state != "dropping":
                entry = await _begin(connection, journal, entry, note)
            if found := await find(connection, entry):
                async with giving_way(connect, connection, limits.lock):
                    await connection.execute(f"drop index concurrently if exists {found.quoted}")
            return await journal.move(entry, "dropped")
        except BUSY as error:
            if attempt == limits.tries:
                raise Later(
                    f"{entry.name} on {entry.table_name} could not be dropped in {limits.tries} attempts ({error}): "
                    "the next run of galvo index apply tries again"
                ) from None
            await asyncio.sleep(limits.pause * attempt)
    raise AssertionError("unreachable")


async def _begin(connection: asyncpg.Connection, journal: Journal, entry: Entry, note: str) -> Entry:
    """From now on the index has a name that nobody else gives to one: what is dropped by it is ours."""
    async with connection.transaction():
        found = await find(connection, entry)
        if found and found.name not in (entry.building_name, entry.dropping_name):
            await connection.execute(f"alter index {found.quoted} rename to {entry.dropping_name}")
            await _still_ours(connection, entry, found)
        return await journal.move(entry, "dropping", note=note)


async def _still_ours(connection: asyncpg.Connection, entry: Entry, seen: Found) -> None:
    """Somebody may have exchanged it before the lock was ours. Raises GalvoError, which undoes the new name."""
    found = await find(connection, entry)
    if found is None or found.oid != seen.oid:
        raise GalvoError(f"{seen.quoted} was replaced by somebody else meanwhile: it stays")
