"""What is watched in this database, and which tables belong together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from galvo import GalvoError
from galvo_cache.external.triggers import INTACT, OURS, PREFIX, SCHEMA

if TYPE_CHECKING:
    import asyncpg

_KINDS = {
    "v": "a view: watch the tables that it reads",
    "m": "a materialized view, which changes by REFRESH only: PostgreSQL allows no triggers there",
    "f": "a foreign table: its writers are in another database",
    "S": "a sequence, which is never cached",
    "i": "an index: watch its table",
    "I": "an index: watch its table",
    "c": "a composite type",
}

# Down to the partitions and children, up to the parents, and so on: a whole tree.
_TREE: Final = f"""
with recursive ours as materialized ({OURS}), tree(oid) as (
  select unnest($1::oid[])
  union
  select case when i.inhparent = t.oid then i.inhrelid else i.inhparent end
  from tree t join pg_catalog.pg_inherits i on t.oid in (i.inhparent, i.inhrelid)
)
select c.oid::int8, c.relkind::text as kind, format('%I.%I', n.nspname, c.relname) as name, {INTACT} as intact
from tree join pg_catalog.pg_class c using (oid) join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') order by c.oid
"""  # noqa: S608 - built from our own constants

_TOUCHED: Final = f"""
select distinct tgrelid::int8 from pg_catalog.pg_trigger where starts_with(tgname, '{PREFIX}') and not tgisinternal
"""  # noqa: S608

_HAS_FUNCTION: Final = f"""
select exists ({OURS}) and exists (select from pg_catalog.pg_namespace n where n.nspname = '{SCHEMA}'
  and has_schema_privilege('public', n.oid, 'usage'))
"""  # noqa: S608

_FIND: Final = """
select c.oid::int8, c.relkind::text as kind, c.relpersistence = 't' as temporary,
  c.oid < 16384 or n.nspname in ('pg_catalog', 'information_schema', 'pg_toast') as system
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `name` is qualified and quoted as in SQL, `kind` is "r" or "p", for partitioned."""

    oid: int
    kind: str
    name: str
    intact: bool
    """Its triggers are all there, as we made them, and on."""


async def find(connection: asyncpg.Connection, name: str) -> int:
    """The OID of the table that `name` means in SQL. Raises GalvoError when that cannot be watched."""
    try:
        row = await connection.fetchrow(_FIND, name)
    except Exception as error:
        if str(getattr(error, "sqlstate", None)) not in ("42601", "42602", "0A000", "22021"):
            raise
        raise GalvoError(f"{name!r} is not a table's name: write table or schema.table, quoted as in SQL") from None
    if row is None:
        raise GalvoError(f"there is no table {name!r}: write table or schema.table, quoted as in SQL")
    if row["kind"] not in "rp":
        raise GalvoError(f"{name!r} is {_KINDS.get(row['kind'], 'no table')}")
    if row["system"]:
        raise GalvoError(f"{name!r} is a system catalog, which is never cached")
    if row["temporary"]:
        raise GalvoError(f"{name!r} is a temporary table, which nobody else can write")
    return int(row["oid"])


async def tree(connection: asyncpg.Connection, oids: Iterable[int]) -> list[Table]:
    """These tables with all the partitions, parents and children that hang together with them, by OID.

    A write to the parent may change the rows of a child, and fires only the statement triggers of the parent.
    """
    return [Table(**row) for row in await connection.fetch(_TREE, list(oids))]


async def touched(connection: asyncpg.Connection) -> list[Table]:
    """All tables with a trigger of ours, complete or not, and what hangs together with them."""
    return await tree(connection, [row[0] for row in await connection.fetch(_TOUCHED)])


async def has_function(connection: asyncpg.Connection) -> bool:
    """Whether the function is there, with our source, and may be used by the owner of any table."""
    return bool(await connection.fetchval(_HAS_FUNCTION))
