"""Dead rows that autovacuum does not get at, with the reason: without one it is only not there yet."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from asyncpg import Record

from galvo_index.finding import Finding
from galvo_index.health.autovacuum import ENABLED, due
from galvo_index.health.horizon import Holder, oldest
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


class Reason(NamedTuple):
    why: str
    advice: str
    sql: str


async def dead_rows(server: Server) -> Found:
    """A table that VACUUM works on right now is left out."""
    if server.facts.standby:
        return []
    sql = SQL.format(enabled=ENABLED, due=due(server, "vacuum"), ours=ours("c"))
    rows = await server.fetch(sql, server.limits.dead)
    if not rows:
        return []
    holder = await oldest(server)
    groups: dict[Reason, list[Record]] = defaultdict(list)
    for row in rows:
        if reason := _reason(server, row, holder):
            groups[reason].append(row)
    return [_finding(reason, group) for reason, group in groups.items()]


def _reason(server: Server, row: Record, holder: Holder | None) -> Reason | None:
    """What keeps autovacuum from its work there."""
    sql = f"vacuum (analyze) {row['name']}"
    if not row["enabled"]:
        sql = f"alter table {row['name']} reset (autovacuum_enabled)"
        return Reason("autovacuum is disabled for this table", "enable it", sql)
    for name in ("autovacuum", "track_counts"):
        if server.facts.settings.get(name) == "off":
            return Reason(f"{name} is off", f"set {name} = on; until then vacuum by hand", "vacuum (analyze)")
    if holder is not None:
        why = f"vacuum may not remove them: they are held back by {holder.who}"
        return Reason(why, holder.remedy, holder.sql)
    if row["workers"] >= server.facts.number("autovacuum_max_workers", 3):
        advice = "raise autovacuum_vacuum_cost_limit, so that they finish sooner; vacuum this one by hand"
        return Reason(f"all {many(row['workers'], 'autovacuum worker')} are busy elsewhere", advice, sql)
    if row["dead"] > BEHIND * row["due"]:
        advice = "vacuum it by hand, and set autovacuum_vacuum_cost_delay = 0 for it"
        return Reason(f"autovacuum, due at {row['due']:,.0f}, is behind", advice, sql)
    return None


def _finding(reason: Reason, rows: list[Record]) -> Finding:
    """One for all tables with the same cause and the same remedy; it names the one with the most dead rows."""
    row = rows[0]
    seen = f"{many(row['dead'], 'dead row')} beside {many(row['live'], 'living one')}: {reason.why}"
    if len(rows) > 1:
        seen += f"; so it is with {many(len(rows) - 1, 'other table')}"
    evidence = {"dead": row["dead"], "live": row["live"], "due_at": row["due"], "tables": len(rows)}
    return Finding(RULE, row["name"], seen, reason.advice, reason.sql, "warning", evidence)
