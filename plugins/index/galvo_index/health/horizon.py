"""Who holds back the oldest transaction that might still look at dead rows."""

from __future__ import annotations

import msgspec
from asyncpg import Record

from galvo_index.health.server import Server
from galvo_index.health.words import duration

# `backend_xmin` and slots are seen by everybody, what a session does and since when by few. A slot's age in time is not
# known, only that in transactions.
HOLDERS = """
select * from (
  select 'session' as kind, pid::text as name, greatest(age(backend_xid), age(backend_xmin)) as age,
    extract(epoch from clock_timestamp() - xact_start)::float8 as since, application_name as application, state
  from pg_stat_activity
  where pid <> pg_backend_pid() and (backend_xmin is not null or backend_xid is not null)
    and backend_type is distinct from 'autovacuum worker' and backend_type is distinct from 'walsender'
    and (datid is null or datid = (select oid from pg_database where datname = current_database()) or {everywhere})
  union all
  select 'prepared', gid, age(transaction), extract(epoch from clock_timestamp() - prepared)::float8, owner::text, ''
  from pg_prepared_xacts where database = current_database() or {everywhere}
  union all
  select 'slot', slot_name::text, greatest(age(xmin), age(catalog_xmin)), null, coalesce(plugin, '')::text,
    case when active then 'active' else 'inactive' end
  from pg_replication_slots where xmin is not null {catalog}
  union all
  select 'standby', application_name, age(backend_xmin), null, application_name, state
  from pg_stat_replication where backend_xmin is not null
) h where age is not null order by age desc limit 1
"""
OLD = 100_000
"""Transactions, where the time is not known."""


class Holder(msgspec.Struct, frozen=True):
    age: int
    """In transactions."""
    who: str
    """In words that finish "held back by ..."."""
    remedy: str
    sql: str = ""


async def oldest(server: Server, *, everywhere: bool = False) -> Holder | None:
    """The one that holds back most, if it has done so for long; of this database, or of all (and system tables)."""
    words = {"everywhere": "true" if everywhere else "false"}
    words["catalog"] = "or catalog_xmin is not null" if everywhere else ""
    rows = await server.fetch(HOLDERS.format_map(words))
    return _holder(rows[0], server) if rows else None


def _holder(row: Record, server: Server) -> Holder | None:
    since, name = row["since"], row["name"]
    if (since < server.limits.holder) if since is not None else (row["age"] < OLD):
        return None
    for_long = f" for {duration(since)}" if since is not None else ""
    age = f"{row['age']:,} transactions ago"
    if row["kind"] == "session":
        who = f"{row['application'] or 'a session'} (pid {name}), in a transaction{for_long}"
        return Holder(row["age"], who, "end it", f"select pg_terminate_backend({name})")
    if row["kind"] == "prepared":
        return Holder(row["age"], f"the prepared transaction {name}, there{for_long}", "commit or roll it back")
    if row["kind"] == "slot":
        who = f"the {row['state']} replication slot {name}, which stands {age}"
        return Holder(row["age"], who, "let its reader go on, or drop it with pg_drop_replication_slot")
    who = f"the standby {name or '(no name)'}, whose oldest query began {age}"
    return Holder(row["age"], who, "end that query, or turn hot_standby_feedback off there")
