"""Dead rows that autovacuum does not get at, with the reason: without one it is only not there yet."""

from __future__ import annotations

from asyncpg import Record

from galvo_index.finding import Finding
from galvo_index.health.autovacuum import ENABLED, due
from galvo_index.health.horizon import oldest
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many

RULE = "dead-rows"
Reason = tuple[str, str, str]
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
    holder = await oldest(server)
    found: Found = []
    held = [row for row in rows if holder is not None and _own_reason(server, row) is None]
    for row in rows:
        reason = _own_reason(server, row)
        if reason is None and holder is not None:
            if row is not held[0]:
                continue  # One session, one finding.
            more = f"; so are those of {many(len(held) - 1, 'other table')}" if len(held) > 1 else ""
            reason = (f"they are held back by {holder.who}{more}", holder.remedy, holder.sql)
        reason = reason or _busy(server, row)
        if reason is not None:
            why, advice, sql = reason
            seen = f"{many(row['dead'], 'dead row')} beside {many(row['live'], 'living one')}: {why}"
            evidence = {"dead": row["dead"], "live": row["live"], "due_at": row["due"]}
            found.append(Finding(RULE, row["name"], seen, advice, sql, "warning", evidence))
    return found


def _own_reason(server: Server, row: Record) -> Reason | None:
    """What keeps autovacuum from the table: reason, advice, SQL."""
    if not row["enabled"]:
        sql = f"alter table {row['name']} reset (autovacuum_enabled)"
        return "autovacuum is disabled for this table", "enable it", sql
    for name in ("autovacuum", "track_counts"):
        if server.facts.settings.get(name) == "off":
            return f"{name} is off", f"set {name} = on; until then vacuum by hand", f"vacuum (analyze) {row['name']}"
    return None


def _busy(server: Server, row: Record) -> Reason | None:
    sql = f"vacuum (analyze) {row['name']}"
    if row["workers"] >= server.facts.number("autovacuum_max_workers", 3):
        advice = "raise autovacuum_vacuum_cost_limit, so that they finish sooner; vacuum this one by hand"
        return f"all {many(row['workers'], 'autovacuum worker')} are busy elsewhere", advice, sql
    if row["dead"] > BEHIND * row["due"]:
        advice = "vacuum it by hand, and set autovacuum_vacuum_cost_delay = 0 for it"
        return f"autovacuum, due at {row['due']:,.0f}, is behind", advice, sql
    return None
