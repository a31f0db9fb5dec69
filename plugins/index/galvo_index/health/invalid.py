"""Indexes that a build left behind: no query uses them."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import size

# Roles without privileges do not see what is being built in pg_stat_progress_create_index, but everybody sees the lock
# that CREATE INDEX CONCURRENTLY and REINDEX hold on the table; so does VACUUM, which is told apart. A partitioned index
# is valid when each partition has its part.
SQL = """
select i.indexrelid::regclass::text as name, i.indrelid::regclass::text as table_name, i.indisready as ready,
  c.relname ~ '_cc(new|old)\\d*$' as leftover, c.relkind = 'I' as partitioned, i.indisunique as is_unique,
  c.relpages::bigint * current_setting('block_size')::int as bytes, i.indislive as live,
  (select count(*) from pg_inherits p where p.inhparent = i.indrelid
    and not exists (select from pg_inherits q join pg_index x on x.indexrelid = q.inhrelid
      where q.inhparent = i.indexrelid and x.indrelid = p.inhrelid and x.indisvalid)) as missing
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
where not (i.indisvalid and i.indisready and i.indislive) and t.relpersistence <> 't'
  and t.relnamespace <> 'pg_catalog'::regnamespace
  and not exists (select from pg_locks l where l.locktype = 'relation' and l.relation in (i.indrelid, i.indexrelid)
    and l.database = (select oid from pg_database where datname = current_database())
    and l.mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'AccessExclusiveLock')
    and l.pid not in (select pid from pg_stat_progress_vacuum))
"""


async def invalid_index(server: Server) -> Found:
    """Also those that are not ready, or half dropped; not those that are being built."""
    found: Found = []
    for row in await server.fetch(SQL):
        name, costs = row["name"], "costs each write" if row["ready"] else "is not even maintained"
        seen = f"a build of it on {row['table_name']} has failed: no query uses it, and it {costs}"
        advice, sql = "build it again, or drop it", f"reindex index concurrently {name}"
        if row["partitioned"]:
            missing = row["missing"]
            seen = f"it was made for {row['table_name']} only: {missing} of its partitions have no valid part of it"
            advice = "create it on each of them and attach it with ALTER INDEX ... ATTACH PARTITION"
            sql = ""
        elif row["leftover"] or not row["live"]:
            advice, sql = "drop it: a REINDEX or DROP INDEX left it behind", f"drop index concurrently {name}"
        elif row["is_unique"]:
            advice = "remove what is there twice, then build it again: it is unique"
        evidence = {"ready": row["ready"], "bytes": row["bytes"], "size": size(row["bytes"])}
        found.append(Finding("invalid-index", name, seen, advice, sql, "warning", evidence))
    return found
