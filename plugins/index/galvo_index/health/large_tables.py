"""Settings that fit small tables and not the largest ones."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.autovacuum import ENABLED, due
from galvo_index.health.limits import GIB
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many, rounded, setting, size

BUILD_SHARE = 16
"""An index so many times as large as maintenance_work_mem is sorted on disk, in several passes."""
WRITTEN = 0.001
"""Share of rows updated and deleted since counting began, below which hardly anything dies."""

BACKLOG = """
with large as (
  select c.oid::regclass::text as name, c.reltuples::float8 as rows, {due} as due, {enabled} as enabled,
    pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) as died
  from pg_class c where c.relkind in ('r', 'm') and c.reltuples >= $1 and {ours}
)
select * from large where due > $1 and enabled and died >= rows * $2 order by due desc
"""
LARGEST = """
select c.oid::regclass::text as name, c.relpages::bigint * current_setting('block_size')::int as bytes
from pg_class c join pg_index i on i.indexrelid = c.oid join pg_class t on t.oid = i.indrelid
  join pg_am m on m.oid = c.relam
where c.relkind = 'i' and m.amname = 'btree' and {ours}
order by c.relpages desc limit 1
"""


async def autovacuum_scale(server: Server) -> Found:
    """A fifth of a huge table is a huge number of dead rows, and then one long vacuum."""
    found: Found = []
    least = float(server.limits.backlog)
    sql = BACKLOG.format(due=due(server, "vacuum"), enabled=ENABLED, ours=ours("c"))
    for row in await server.fetch(sql, least, WRITTEN):
        scale = 0.01 if row["rows"] * 0.01 < least else 0.0
        change = f"autovacuum_vacuum_scale_factor = {scale:g}"
        if not scale:
            change += f", autovacuum_vacuum_threshold = {least:.0f}"
        found.append(
            Finding(
                "autovacuum-scale",
                row["name"],
                f"autovacuum waits for {many(row['due'], 'dead row')} in its {many(row['rows'], 'row')}",
                "let it come sooner, so that each visit is short",
                f"alter table {row['name']} set ({change})",
                "info",
                {"rows": row["rows"], "due_at": row["due"], "died": row["died"]},
            )
        )
    return found


async def maintenance_memory(server: Server) -> Found:
    """For building indexes, and for vacuum up to 16, which reads all indexes once for each time it is full."""
    memory = server.facts.number("maintenance_work_mem") * 1024
    rows = await server.fetch(LARGEST.format(ours=ours("t")))
    if not rows or rows[0]["bytes"] < server.limits.build or rows[0]["bytes"] < BUILD_SHARE * memory:
        return []
    wanted = min(rounded(rows[0]["bytes"] / BUILD_SHARE), GIB)
    if wanted < 2 * memory:
        return []
    seen = (
        f"it is {setting(memory)}, and the largest index {rows[0]['name']} has {size(rows[0]['bytes'])}: building it "
    )
    seen += "again sorts on disk"
    sql = f"set maintenance_work_mem = '{setting(wanted)}'"
    advice = f"set it to {setting(wanted)} before building indexes"
    evidence = {"bytes": rows[0]["bytes"], "maintenance_work_mem": memory}
    return [Finding("maintenance-memory", "maintenance_work_mem", seen, advice, sql, "info", evidence)]
