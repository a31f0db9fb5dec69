"""Which index in the catalog is the one of a journal's entry: by what nobody else could have made."""

from __future__ import annotations

from typing import Final

import asyncpg
import msgspec

from galvo_index.apply.journal import Entry

_FIND: Final = """
select c.oid, c.relname as name, n.nspname as schema, i.indisvalid and i.indisready and i.indislive as valid,
  pg_catalog.format('%I.%I', n.nspname, c.relname) as quoted
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where i.indrelid = $1 and (c.relname in ($2, $3)
  or ((c.oid = $4 or c.relname = $5)
    and pg_catalog.strpos(pg_catalog.obj_description(c.oid, 'pg_class'), $6) > 0))
"""


class Found(msgspec.Struct, frozen=True):
    oid: int
    name: str
    schema: str
    valid: bool
    """Complete, and not half dropped."""
    quoted: str
    """With its schema, as in SQL."""


async def find(connection: asyncpg.Connection, entry: Entry) -> Found | None:
    """It has the name that only a build or a drop of this entry gives; or this entry's mark in its comment, and its
    oid, or its name when REINDEX CONCURRENTLY has changed the oid. The mark alone is no proof:
    `create table (like ...)` copies comments. Always on the table of the entry.
    """
    row = await connection.fetchrow(
        _FIND, entry.relation, entry.building_name, entry.dropping_name, entry.index_oid, entry.name, entry.mark
    )
    return Found(**dict(row)) if row else None
