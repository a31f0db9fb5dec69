"""Takes back what the journal lists."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from galvo import GalvoError
from galvo_index.apply.dropping import drop
from galvo_index.apply.journal import Journal
from galvo_index.apply.leftovers import settle_all
from galvo_index.apply.limits import Limits
from galvo_index.apply.run import Outcome, changing
from galvo_index.database import Connect
from galvo_index.lanes import GONE


async def undo(connect: Connect, limits: Limits, only: Collection[int] = ()) -> tuple[list[str], list[Outcome]]:
    """Drop every index that galvo made and that is there, or those of the entries in `only`.

    Gives sentences on leftovers, and how each went. Raises GalvoError when nothing can be done at all.
    """
    async with changing(connect, limits) as connection:
        journal = Journal(connection)
        if not await journal.exists():
            return [], []
        said = await settle_all(connect, connection, limits)
        entries = await journal.entries("built", "judged")
        if unknown := {*only} - {entry.id for entry in entries}:
            raise GalvoError(
                f"no index is there of the entries {', '.join(map(str, sorted(unknown)))}: see galvo index journal"
            )
        outcomes = list[Outcome]()
        for entry in entries:
            if only and entry.id not in only:
                continue
            try:
                await drop(connect, connection, entry, limits, "undone")
            except GONE:
                raise
            except (GalvoError, asyncpg.PostgresError) as error:
                outcomes.append(Outcome(entry.name, entry.table_name, built=True, text=str(error)))
            else:
                outcomes.append(Outcome(entry.name, entry.table_name, built=False, text="dropped"))
        return said, outcomes
