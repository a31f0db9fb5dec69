"""When not to build an index: on which servers, on which tables, behind whom."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import asyncpg

from galvo import GalvoError
from galvo_index.apply.create_index import NotAnIndex, parsed
from galvo_index.definition import Definition

_SERVER: Final = """
select pg_catalog.pg_is_in_recovery() as standby, pg_catalog.current_setting('transaction_read_only') = 'on' as reading
"""
_TABLE: Final = """
select c.oid, c.relkind::text as kind, c.relpersistence::text as persistence, n.nspname as schema,
  pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
  pg_catalog.pg_get_userbyid(c.relowner) as owner, pg_catalog.pg_has_role(c.relowner, 'usage') as owned,
  pg_catalog.has_schema_privilege(n.oid, 'create') as may_create,
  exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.objid = c.oid and d.deptype = 'e') as extension
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = pg_catalog.to_regclass($1)
"""
_INDEXES: Final = """
select c.relname as name, pg_catalog.pg_get_indexdef(c.oid) as sql, i.indisvalid as valid
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid where i.indrelid = $1
"""
_OLD: Final = """
select pid, coalesce(usename, '?') as usename, coalesce(application_name, '') as application, state,
  extract(epoch from pg_catalog.clock_timestamp() - xact_start)::float8 as age
from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
  and backend_type in ('client backend', 'background worker')
  and xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)
  and not exists (select from pg_catalog.pg_stat_progress_vacuum v where v.pid = pg_stat_activity.pid)
union all
select null, owner, gid, 'prepared', extract(epoch from pg_catalog.clock_timestamp() - prepared)::float8
from pg_catalog.pg_prepared_xacts
where database = pg_catalog.current_database()
  and prepared < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)
order by age desc
"""
_KINDS: Final = {
    "v": "is a view: an index belongs on the tables that it reads",
    "f": "is a foreign table: its indexes are in the other database",
    "p": "is partitioned, and an index on all partitions at once blocks writes while it is built: "
    "create it on each partition, then `create index on only` and attach them",
}


class Refused(GalvoError):
    """An index is not built, and nothing was done yet."""


async def server(connection: asyncpg.Connection) -> None:
    """Raises Refused on a server that takes no changes."""
    (found,) = await connection.fetch(_SERVER)
    if found["standby"]:
        raise Refused("this server is a standby: connect to its primary, which hands its indexes on")
    if found["reading"]:
        raise Refused("transactions are read only here: unset default_transaction_read_only for this role")


async def table(connection: asyncpg.Connection, definition: Definition, allowed: Sequence[str]) -> tuple[int, str]:
    """The table's oid and its name as in SQL. `allowed`: patterns of such names, `*` stands for anything.

    Raises Refused when no index like this is to be built there.
    """
    _alone(definition)
    try:
        found = await connection.fetchrow(_TABLE, definition.relation)
    except asyncpg.PostgresError:
        found = None
    if found is None:
        raise Refused(f"there is no table {definition.relation}")
    name = found["name"]
    if why := _unfit(found):
        raise Refused(f"{name} {why}")
    if not any(fnmatchcase(name, pattern) for pattern in allowed):
        raise Refused(f"{name} is none of the tables that may get indexes ({', '.join(allowed) or 'none may'})")
    for index in await connection.fetch(_INDEXES, found["oid"]):
        if index["name"] == definition.name or (index["valid"] and _same(index["sql"], definition)):
            raise Refused(f"{name} has this index already: {index['name']}")
    return found["oid"], name


def _unfit(found: Any) -> str:
    if found["kind"] not in ("r", "m"):
        return _KINDS.get(found["kind"], "is no table")
    if found["persistence"] == "t":
        return "is temporary: it is gone before an index pays"
    if found["extension"]:
        return "belongs to an extension, which may change it"
    if found["schema"] in ("pg_catalog", "information_schema", "pg_toast", "galvo"):
        return "is a table of the system"
    if not found["owned"]:
        return f"belongs to {found['owner']}: connect as that role, or as one of its members"
    if not found["may_create"]:
        return f"is in a schema in which this role may create nothing: grant create on schema {found['schema']}"
    return ""


def _alone(definition: Definition) -> None:
    """Raises Refused when the text is anything but one CREATE INDEX on the table it names."""
    try:
        (read,) = parsed(definition.sql())
    except (NotAnIndex, ValueError) as error:
        raise Refused(f"not a definition of one index: {error}") from None
    if read.relation != definition.relation:
        raise Refused(f"{definition.relation} is not written as in SQL: {read.relation} would be")


def _same(sql: str, definition: Definition) -> bool:
    try:
        return parsed(sql) == parsed(definition.sql())
    except (NotAnIndex, ValueError):
        return False  # a unique one, for example


async def transactions(connection: asyncpg.Connection, seconds: float) -> None:
    """Raises Refused behind a transaction that is older than `seconds`: the build would wait for its end."""
    old = await connection.fetch(_OLD, seconds)
    if not old:
        return
    first = old[0]
    who = (
        f"the prepared transaction {first['application']!r}"
        if first["pid"] is None
        else f"pid {first['pid']} ({first['usename']}, {first['application'] or 'no name'!r}, {first['state']})"
    )
    more = f", and {len(old) - 1} more are old, too" if len(old) > 1 else ""
    raise Refused(
        f"{who} has been in a transaction for {first['age']:.0f} s{more}: a build would wait for it; "
        "end it, or try again later"
    )
