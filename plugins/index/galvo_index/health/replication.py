"""What stops replication, or lets it stop the server."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import duration, size

MUCH = 10
"""Times the limit from which a full disk is near."""

SLOTS = """
select slot_name::text as name, coalesce(plugin, '')::text as plugin, wal_status, {since} as since,
  pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
    restart_lsn)::float8 as held, format('select pg_drop_replication_slot(%L)', slot_name) as statement
from pg_replication_slots where not active and not temporary
"""

# With REPLICA IDENTITY NOTHING, or the default one and no primary key, each UPDATE and DELETE fails.
PUBLISHED = """
select c.oid::regclass::text as name, c.relreplident = 'n' as nothing,
  string_agg(distinct p.pubname::text, ', ') as publications, bool_or(p.pubupdate) as updates,
  (select quote_ident(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
    where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
      and i.indexprs is null and not exists (select from pg_attribute a
        where a.attrelid = c.oid and a.attnum = any(i.indkey::int2[]) and not a.attnotnull) limit 1) as candidate
from pg_publication p, pg_get_publication_tables(p.pubname) t join pg_class c on c.oid = t.relid
where (p.pubupdate or p.pubdelete) and c.relkind = 'r' and (c.relreplident = 'n' or (c.relreplident = 'd'
  and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid)))
group by c.oid, c.relreplident
"""


async def inactive_slot(server: Server) -> Found:
    """They hold WAL until the disk is full, and dead rows for ever."""
    found: Found = []
    since_17 = server.since(17, "extract(epoch from clock_timestamp() - inactive_since)::float8", "null::float8")
    for row in await server.fetch(SLOTS.format(since=since_17)):
        held, lost = row["held"] or 0.0, row["wal_status"] == "lost"
        if held < server.limits.wal and not lost:
            continue
        since = f" for {duration(row['since'])}" if row["since"] is not None else ""
        seen = f"nobody has read from it{since}, and it holds {size(held)} of WAL"
        if lost:
            seen = f"nobody has read from it{since}, and the WAL it needs is gone: it can never go on"
        near = held >= MUCH * server.limits.wal
        found.append(
            Finding(
                "inactive-slot",
                f"replication slot {row['name']}",
                seen,
                "drop it" if lost else "start its reader, or drop it; max_slot_wal_keep_size keeps the disk safe",
                row["statement"],
                "critical" if near and not lost else "warning",
                {"bytes": held, "wal_status": row["wal_status"]},
            )
        )
    return found


async def no_replica_identity(server: Server) -> Found:
    """Published tables of which rows cannot be named."""
    if server.facts.standby:
        return []
    found: Found = []
    for row in await server.fetch(PUBLISHED):
        name, key = row["name"], row["candidate"]
        why = "REPLICA IDENTITY NOTHING" if row["nothing"] else "no primary key"
        advice, sql = "give it a primary key", f"alter table {name} replica identity full"
        if key:
            advice, sql = (
                "let its unique index say which row it was",
                f"alter table {name} replica identity using index {key}",
            )
        else:
            advice += "; until then let all columns say which row it was"
        found.append(
            Finding(
                "no-replica-identity",
                name,
                f"it is published ({row['publications']}) and has {why}: each UPDATE and DELETE fails",
                advice,
                sql,
            )
        )
    return found
