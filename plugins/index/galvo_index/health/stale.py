"""Tables about which the planner knows nothing, or nothing that is still true, and will not learn it by itself."""

from __future__ import annotations

from collections import defaultdict

from asyncpg import Record

from galvo_index.finding import Finding
from galvo_index.health.autovacuum import ENABLED, due
from galvo_index.health.report import Unknown
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many, size

RULE = "stale-statistics"
DISABLED = "autovacuum is disabled for it"
ROW = 100
"""Bytes, where rows are not counted."""
PARTITIONED = "autovacuum analyses its partitions, but never itself: joins and groups over all are planned blindly"
LOST = "autovacuum will not come before rows change, as its counters were lost (a crash, reset or upgrade)"

# A table that autovacuum will analyse within the minute is none. After a crash, a reset or an upgrade the counters that
# call it are zero: what has no statistics then keeps none until enough rows change. Partitioned tables it leaves out.
SQL = """
with recursive part as (
  select c.oid as root, c.oid from pg_class c where c.relkind = 'p' and c.relispartition is false
  union all select p.root, h.inhrelid from part p join pg_inherits h on h.inhparent = p.oid
), whole as (
  select p.root, sum(greatest(c.reltuples, 0)) as rows from part p join pg_class c on c.oid = p.oid and c.relkind = 'r'
  group by p.root
), candidate as (
  select c.oid, c.relkind = 'p' as partitioned, n.nspname as schema, c.relname as relation,
    coalesce(w.rows, greatest(c.reltuples, s.n_live_tup, 0))::float8 as rows,
    s.n_mod_since_analyze as changed, {due} as due, {enabled} as enabled,
    coalesce(s.last_analyze, s.last_autoanalyze) is not null or (c.relkind = 'p' and c.reltuples > 0) as analysed,
    has_any_column_privilege(c.oid, 'SELECT') and not row_security_active(c.oid) as readable
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_stat_all_tables s on s.relid = c.oid left join whole w on w.root = c.oid
  where (c.relkind in ('r', 'm') or w.root is not null) and {ours}
), suspect as (
  select *, not exists (select from pg_stats p where p.schemaname = schema and p.tablename = relation) as empty
  from candidate
  where not analysed or (changed > due and changed >= $1 and not (enabled and $2))
)
select *, oid::regclass::text as name, case
  when empty and readable and not partitioned and changed <= due and not exists (
    select from pg_locks l where l.relation = suspect.oid and l.mode = 'AccessExclusiveLock')
  then pg_relation_size(oid) end as bytes
from suspect where (readable and (empty or changed > due)) or not readable
"""


async def stale_statistics(server: Server) -> Found:
    """With the reason why nobody will analyse it."""
    if server.facts.standby:
        return []
    settings = server.facts.settings
    off = [name for name in ("autovacuum", "track_counts") if settings.get(name) == "off"]
    sql = SQL.format(due=due(server, "analyze"), enabled=ENABLED, ours=ours("c"))
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    hidden = 0
    for row in await server.fetch(sql, server.limits.rows, not off):
        late = not row["partitioned"] and row["changed"] > row["due"]
        if late and row["enabled"] and not off:
            continue
        if not late and not row["readable"]:
            hidden += 1
            continue
        rows = max(row["rows"], row["changed"] or 0)
        if rows < server.limits.rows and (row["bytes"] or 0) < server.limits.rows * ROW:
            continue
        cause = (PARTITIONED if row["partitioned"] else LOST, f"analyze {row['name']}")
        if late:
            cause = (f"{off[0]} is off", "analyze") if off else (DISABLED, f"analyze {row['name']}")
        groups[cause].append(row)
    found: Found = [_finding(why, statement, rows) for (why, statement), rows in groups.items()]
    if hidden:
        why = f"whether {many(hidden, 'table has', 'tables have')} statistics is not known: this role may not read them"
        found.append(Unknown(RULE, f"{why}; ask as one with pg_read_all_data"))
    return found


def _finding(why: str, statement: str, rows: list[Record]) -> Finding:
    """One for all tables with the same cause and the same remedy; it names the largest."""
    row = max(rows, key=lambda row: row["rows"])
    seen = f"{many(row['changed'] or 0, 'row has', 'rows have')} changed since the planner last looked at "
    seen += f"{many(row['rows'], 'row')}: {why}"
    if row["empty"] or not row["analysed"]:
        how_many = many(row["rows"], "row") if row["rows"] else size(row["bytes"] or 0)
        seen = f"the planner knows nothing about its {how_many}: {why}"
    if len(rows) > 1:
        seen += f"; so it is with {many(len(rows) - 1, 'other table')}"
    evidence = {"rows": row["rows"], "changed": row["changed"], "due_at": row["due"], "tables": len(rows)}
    return Finding(
        RULE, row["name"], seen, "analyse it" if len(rows) == 1 else "analyse them", statement, "warning", evidence
    )
