"""What the server knows about each table, and what autovacuum goes by."""

from __future__ import annotations

from typing import Final

import asyncpg
import msgspec

_TABLES: Final = """
select c.oid, c.relkind::text as kind, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
  c.reltuples::float8 as rows, c.relpages as pages, c.relallvisible as visible, {frozen} as frozen,
  case when c.relkind = 'p' then 0 else pg_catalog.age(c.relfrozenxid) end as age,
  case when c.relkind = 'p' then 0 else pg_catalog.mxid_age(c.relminmxid) end as multi_age,
  coalesce(s.n_dead_tup, 0) as dead, coalesce(s.n_mod_since_analyze, 0) as modified,
  coalesce(s.n_ins_since_vacuum, 0) as inserted,
  coalesce(s.idx_scan, 0) as index_scans, coalesce(s.seq_scan, 0) as scans,
  c.relkind <> 'p' or exists (select from pg_catalog.pg_stats k
    where k.schemaname = n.nspname and k.tablename = c.relname and k.inherited) or not exists (
    select from pg_catalog.pg_inherits h join pg_catalog.pg_class child on child.oid = h.inhrelid
    where h.inhparent = c.oid and child.reltuples > 0) as analyzed,
  c.oid in (select relid from pg_catalog.pg_stat_progress_vacuum)
    or c.reltoastrelid in (select relid from pg_catalog.pg_stat_progress_vacuum)
    or c.oid in (select relid from pg_catalog.pg_stat_progress_analyze) as working,
  coalesce(c.reloptions, '{{}}') as options
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
where c.relkind in ('r', 'm', 'p') and c.relpersistence <> 't'
  and (pg_catalog.pg_has_role(c.relowner, 'usage'){maintain})
  and n.nspname not in ('pg_catalog', 'information_schema') and ($1::oid is null or c.oid = $1)
order by c.oid
"""
_SETTINGS: Final = """
select name, setting from pg_catalog.pg_settings where name like 'autovacuum%' or name = 'track_counts'
"""
_OLDEST: Final = """
select pid, coalesce(application_name, '') as application, extract(epoch from
  pg_catalog.clock_timestamp() - xact_start)::float8 as age from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
  and backend_type = 'client backend' and (backend_xmin is not null or backend_xid is not null)
  and xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)
order by xact_start limit 1
"""


class Table(msgspec.Struct, frozen=True):
    oid: int
    kind: str
    name: str
    """With its schema, as in SQL."""
    rows: float
    """-1: not known."""
    pages: int
    visible: int
    """Pages that index-only scans need not read."""
    frozen: int | None
    """Pages with nothing left to freeze; None: servers before 18 do not say."""
    age: int
    """Transactions since the oldest that is not frozen."""
    multi_age: int
    dead: int
    modified: int
    """Rows since the last ANALYZE."""
    inserted: int
    """Rows since the last VACUUM."""
    index_scans: int
    scans: int
    analyzed: bool
    """False only where no one has ever analyzed all partitions together, which are not empty."""
    working: bool
    """Somebody vacuums or analyzes it now: autovacuum, most likely."""
    options: dict[str, str]
    """Its own storage parameters."""


async def tables(connection: asyncpg.Connection, oid: int | None = None) -> list[Table]:
    """Those that this role may vacuum; or the one of `oid`."""
    version = connection.get_server_version().major
    sql = _TABLES.format(
        frozen="c.relallfrozen" if version >= 18 else "null::int",
        maintain=" or pg_catalog.has_table_privilege(c.oid, 'maintain')" if version >= 17 else "",
    )
    return [
        Table(**{**dict(row), "options": dict(option.split("=", 1) for option in row["options"])})
        for row in await connection.fetch(sql, oid)
    ]


async def settings(connection: asyncpg.Connection) -> dict[str, str]:
    """Those of autovacuum."""
    return {row["name"]: row["setting"] for row in await connection.fetch(_SETTINGS)}


async def oldest(connection: asyncpg.Connection, seconds: float) -> str:
    """Who keeps dead rows from being removed for longer than that; "": nobody."""
    found = await connection.fetchrow(_OLDEST, seconds)
    if found is None:
        return ""
    return (
        f"pid {found['pid']} ({found['application'] or 'no name'!r}) has been in a transaction for {found['age']:.0f} s"
    )
