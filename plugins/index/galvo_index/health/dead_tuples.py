"""Dead rows that autovacuum does not get at, with the reason: without one it is only not there yet."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.autovacuum import ENABLED, due
from galvo_index.health.horizon import oldest
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many

RULE = "dead-rows"
BEHIND = 10
"""How many times what makes autovacuum come; no single statement leaves as much between two of its rounds."""

SQL = """
with seen as (
  select c.oid::regclass::text as name, s.n_dead_tup as dead, s.n_live_tup as live, {enabled} as enabled, {due} as due,
    exists (select from pg_locks l where l.relation = c.oid and l.mode = 'ShareUpdateExclusiveLock' and l.granted
      and l.database = (select oid from pg_database where datname = current_database())) as vacuumed
  from pg_class c join pg_stat_all_tables s on s.relid = c.oid
  where c.relkind in ('r', 'm') and s.n_dead_tup >= $1 and {ours}
)
select *, (select count(*) from pg_stat_activity where backend_type = 'autovacuum worker') as workers
from seen where dead > due and not vacuumed order by dead desc
"""


async def dead_rows(server: Server) -> Found:
    """A table that VACUUM works on right now is left out."""
    if server.facts.standby:
        return []
    sql = SQL.format(enabled=ENABLED, due=due(server, "vacuum"), ours=ours("c"))
    rows = await server.fetch(sql, server.limits.dead)
    if not rows:
        return []
    settings, holder = server.facts.settings, await oldest(server)
    found: Found = []
    for row in rows:
        name, behind = row["name"], row["dead"] > BEHIND * row["due"]
        change = f"vacuum (analyze) {name}"
        if not row["enabled"]:
            why, advice = "autovacuum is disabled for this table", "enable it"
            change = f"alter table {name} reset (autovacuum_enabled)"
        elif settings.get("autovacuum") == "off" or settings.get("track_counts") == "off":
            off = "autovacuum" if settings.get("autovacuum") == "off" else "track_counts"
            why, advice = f"{off} is off", f"set {off} = on; until then vacuum by hand"
        elif holder is not None:
            why, advice, change = f"vacuum may not remove them: they are held back by {holder.who}", holder.remedy, ""
        elif row["workers"] >= server.facts.number("autovacuum_max_workers", 3):
            why = f"all {many(row['workers'], 'autovacuum worker')} are busy elsewhere"
            advice = "raise autovacuum_vacuum_cost_limit, so that they finish sooner; vacuum this one by hand"
        elif behind:
            why = f"autovacuum, due at {row['at']:,.0f}, is behind"
            advice = "vacuum it by hand, and set autovacuum_vacuum_cost_delay = 0 for it"
        else:
            continue
        evidence = {"dead": row["dead"], "live": row["live"], "due_at": row["due"]}
        seen = f"{many(row['dead'], 'dead row')} beside {many(row['live'], 'living one')}: {why}"
        found.append(Finding(RULE, name, seen, advice, change, "warning", evidence))
    return found
