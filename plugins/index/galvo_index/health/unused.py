"""Indexes that no query has used for long enough."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.indexes import described
from galvo_index.health.report import Unknown
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import duration, many, size

RULE = "unused-index"
ALMOST = 0.9
"""Of the transactions that its table has seen."""

# An index on a partition lives and dies with that of the partitioned table: all are one. No catalog says when an index
# was made; it may be younger than the statistics. Each row that comes in touches at least one block of each index, so
# one that was touched as often was there all the time; so was one that is as old as its table, in transactions.
SQL = """
with recursive {described}, member as (
  select oid as root, oid from index where not attached
  union all select m.root, h.inhrelid from member m join pg_inherits h on h.inhparent = m.oid
), used as (
  select m.root, sum(pg_stat_get_numscans(m.oid)) as scans, max({last}) as last,
    sum(c.relpages::bigint) * current_setting('block_size')::int as bytes,
    sum(pg_stat_get_blocks_fetched(m.oid)) as touched, sum(pg_stat_get_tuples_inserted(x.indrelid)) as inserted,
    min(age(c.xmin)::float8 / greatest(age(y.xmin), 1)) as part
  from member m join pg_class c on c.oid = m.oid join pg_index x on x.indexrelid = m.oid
    join pg_type y on y.typrelid = x.indrelid
  where c.relkind = 'i'
  group by m.root
)
select i.name, i.table_name, u.scans::bigint, u.bytes::bigint, i.expressions is not null as computed,
  extract(epoch from now() - u.last)::float8 as since, i.partitioned
from used u join index i on i.oid = u.root join pg_index x on x.indexrelid = i.oid
where not (i.is_unique or i.is_exclusion or i.replica_identity or i.of_constraint or i.referenced > 0)
  and u.bytes >= $1 and (u.scans = 0 or extract(epoch from now() - u.last) >= $2)
  and (u.touched >= u.inserted or u.part >= $3)
  and not exists (select from pg_constraint f where f.contype = 'f' and f.conrelid = i.relation
    and (x.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)
"""


async def unused_index(server: Server) -> Found:
    """What serves a foreign key is used by deletes in its parent, which may be rare."""
    facts, limits = server.facts, server.limits
    if facts.standby:
        return [Unknown(RULE, "a standby knows its own queries only: ask the primary")]
    if facts.counted < limits.counted:
        known = duration(facts.counted) if facts.counted >= 1 else "now"
        why = f"statistics are known to go back {known}; {duration(limits.counted)} are needed to call an index unused"
        return [Unknown(RULE, why)]
    last = server.since(16, "pg_stat_get_lastscan(m.oid)", "null::timestamptz")
    rows = await server.fetch(SQL.format(described=described(server), last=last), limits.index, limits.last_use, ALMOST)
    found: Found = []
    for row in rows:
        since = f"in {duration(facts.counted)}, as far as the statistics go"
        if row["scans"]:
            since = f"for {duration(row['since'])}"
        elsewhere = f"the {many(facts.replicas, 'replica')}" if facts.replicas else "replicas, if there are any,"
        advice = f"drop it, unless {elsewhere} or a rare job use it or it is new: each write to the table pays for it"
        if row["computed"]:
            advice += "; ANALYZE keeps statistics of its expression, which plans may need"
        found.append(
            Finding(
                RULE,
                row["name"],
                f"no query has used it {since}; it has {size(row['bytes'])} on {row['table_name']}",
                advice,
                f"drop index {'' if row['partitioned'] else 'concurrently '}{row['name']}",
                "info",
                {"bytes": row["bytes"], "scans": row["scans"], "statistics_seconds": facts.counted},
            )
        )
    return found
