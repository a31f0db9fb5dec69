"""Transaction ids that run out: vacuum freezes rows in time, unless something keeps it from that."""

from __future__ import annotations

from typing import Literal

from galvo_index.finding import Finding
from galvo_index.health.horizon import oldest
from galvo_index.health.rule import Found
from galvo_index.health.server import Server

RANGE = 2**31 - 3_000_000
"""Then the server refuses all that writes."""
LATE = 1.5
"""Autovacuum comes at 1 time its limit, whatever else it does; from here on it evidently gets nowhere."""
CRITICAL = 0.6
"""Share of the range; the failsafe mode of 14 and later begins at 0.75."""

SQL = """
select null as name, datname::text as database, {age}({database}) as age, null as pages,
  datname = current_database() as here
from pg_database where {database} <> '0'
union all
(select c.oid::regclass::text, current_database()::text, greatest({age}(c.{table}), {age}(t.{table})), c.relpages, true
from pg_class c left join pg_class t on t.oid = c.reltoastrelid
where c.relkind in ('r', 'm') and c.{table} <> '0' order by 3 desc limit 3)
"""
Kind = Literal["transaction", "multixact"]


async def transaction_wraparound(server: Server) -> Found:
    return await _wraparound(server, "transaction")


async def multixact_wraparound(server: Server) -> Found:
    return await _wraparound(server, "multixact")


async def _wraparound(server: Server, kind: Kind) -> Found:
    """The databases that are late; of this one the tables that make it so instead."""
    words = {"age": "age", "database": "datfrozenxid", "table": "relfrozenxid"}
    limit = server.facts.number("autovacuum_freeze_max_age")
    if kind == "multixact":
        words = {"age": "mxid_age", "database": "datminmxid", "table": "relminmxid"}
        limit = server.facts.number("autovacuum_multixact_freeze_max_age")
    late = [
        row for row in await server.fetch(SQL.format_map(words)) if row["age"] > min(LATE * limit, CRITICAL * RANGE)
    ]
    if not late:
        return []
    holder = await oldest(server, everywhere=True) if not server.facts.standby else None
    tables = [row for row in late if row["name"]]
    found: Found = []
    for row in late:
        if not row["name"] and row["here"] and tables:
            continue
        age, share = row["age"], row["age"] / RANGE
        what = f"its oldest {kind} id is {age:,} old, {share:.0%} of what there is; vacuum was due at {limit:,.0f}"
        advice = "vacuum it; if that does not help, look for who holds it back"
        if holder is not None:
            what += f", and is held back by {holder.who}"
            advice = f"{holder.remedy}; then vacuum"
        found.append(
            Finding(
                f"{kind}-wraparound",
                row["name"] or f"database {row['database']}",
                what,
                advice,
                f"vacuum (freeze) {row['name']}" if row["name"] else "",
                "critical" if share > CRITICAL else "warning",
                {"age": age, "limit": limit, "database": row["database"]},
            )
        )
    return found
