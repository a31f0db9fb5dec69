"""Brings every entry of the journal to where it should be, whatever interrupted the run before."""

from __future__ import annotations

from typing import Final

import asyncpg

from galvo import GalvoError
from galvo_index.apply.build import complete
from galvo_index.apply.dropping import Later, drop
from galvo_index.apply.journal import Entry, Journal, State
from galvo_index.apply.limits import Limits
from galvo_index.apply.ours import find
from galvo_index.database import Connect
from galvo_index.lanes import GONE

UNSETTLED: Final[tuple[State, ...]] = ("intended", "building", "built", "judged", "dropping")
_UNKNOWN: Final = """
select pg_catalog.format('%I.%I', n.nspname, c.relname) as name from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where pg_catalog.starts_with(c.relname::text, 'galvo_') and not i.indisvalid and c.relkind = 'i'
  and c.oid <> all($1::oid[])
"""


async def settle_all(connect: Connect, connection: asyncpg.Connection, limits: Limits) -> list[str]:
    """Gives sentences on what was done, and on what could not be done yet. Holds the advisory lock."""
    journal, said, known = Journal(connection), list[str](), list[int]()
    entries = await journal.entries(*UNSETTLED) if await journal.exists() else []
    for entry in entries:
        try:
            text = await settle(connect, connection, entry, limits)
        except GONE:
            raise
        except (GalvoError, asyncpg.PostgresError) as error:
            text = str(error)
            if not isinstance(error, Later):
                await journal.note(entry, text)
        if text:
            said.append(text)
        if found := await find(connection, entry):
            known.append(found.oid)
    for row in await connection.fetch(_UNKNOWN, known):
        name = row["name"]
        said.append(
            f"{name} is INVALID, and no journal says that galvo made it: look, and `drop index concurrently {name}`"
        )
    return said


async def settle(connect: Connect, connection: asyncpg.Connection, entry: Entry, limits: Limits) -> str:
    """Of one entry; "" when it is where it should be. Raises Later and PostgresError."""
    journal, found = Journal(connection), await find(connection, entry)
    name = f"{entry.name} on {entry.table_name}"
    match entry.state:
        case "intended":
            await journal.move(entry, "failed", note=entry.note or "galvo ended before it was begun")
            return f"{name} was not begun"
        case "building" if found is None:
            await journal.move(entry, "failed", note=entry.note or "the build was interrupted; nothing was left")
            return f"{name} was not built"
        case "building" if found and found.valid:
            await complete(connection, entry, None)
            return f"{name} was complete, and has its name now"
        case "building":
            await drop(connect, connection, entry, limits, entry.note or "the build was interrupted")
            return f"{name} was half built, and is gone"
        case "dropping":
            await drop(connect, connection, entry, limits, entry.note)
            return f"{name} was half dropped, and is gone"
        case _ if found is None:
            await journal.move(await journal.move(entry, "dropping"), "dropped", note="gone: dropped by somebody else")
            return f"{name} is gone: somebody else has dropped or changed it"
        case _ if not found.valid:
            await drop(connect, connection, entry, limits, "it had become INVALID")
            return f"{name} had become INVALID, and is gone"
    return ""
