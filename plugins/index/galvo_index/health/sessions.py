"""Transactions that last too long: what is dead since stays, and their locks do too."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.report import Unknown
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import duration, many

# Replication and PostgreSQL's own processes have transactions too. Who waits for a lock is another's victim.
SESSIONS = """
select pid, application_name as application, usename::text as role, datname::text as database, state,
  extract(epoch from clock_timestamp() - xact_start)::float8 as open,
  extract(epoch from clock_timestamp() - state_change)::float8 as since,
  (select count(*) from pg_locks l where l.pid = a.pid and l.granted and l.locktype = 'relation'
    and l.mode <> 'AccessShareLock') as locks
from pg_stat_activity a
where pid <> pg_backend_pid() and backend_type = 'client backend' and xact_start is not null
  and wait_event_type is distinct from 'Lock'
order by xact_start
"""
HIDDEN = "sessions of other roles are not shown to this one: grant it pg_monitor"
PREPARED = """
select gid, owner::text as role, database::text as database,
  extract(epoch from clock_timestamp() - prepared)::float8 as open
from pg_prepared_xacts where extract(epoch from clock_timestamp() - prepared) >= $1
"""


async def idle_in_transaction(server: Server) -> Found:
    found: Found = _hidden(server, "idle-in-transaction")
    for row in await server.fetch(SESSIONS):
        if not str(row["state"]).startswith("idle in transaction") or row["since"] < server.limits.idle:
            continue
        seen = f"it has done nothing for {duration(row['since'])} in a transaction of {duration(row['open'])}"
        seen += f", with {many(row['locks'], 'lock')} on tables that may be written" if row["locks"] else ""
        found.append(
            Finding(
                "idle-in-transaction",
                subject(row["pid"], row["application"]),
                seen,
                "find where the application forgets to commit; idle_in_transaction_session_timeout ends such ones",
                f"select pg_terminate_backend({row['pid']})",
                "warning",
                {"pid": row["pid"], "seconds": row["since"], "role": row["role"], "database": row["database"]},
            )
        )
    return found


async def long_transaction(server: Server) -> Found:
    """Those that work; the idle ones have a rule of their own."""
    found: Found = _hidden(server, "long-transaction")
    for row in await server.fetch(SESSIONS):
        idle = str(row["state"]).startswith("idle in transaction") and row["since"] >= server.limits.idle
        if idle or row["open"] < server.limits.transaction:
            continue
        found.append(
            Finding(
                "long-transaction",
                subject(row["pid"], row["application"]),
                f"its transaction has been open for {duration(row['open'])}: vacuum keeps all that died since",
                "cut it into shorter ones, or run it on a replica",
                f"select pg_cancel_backend({row['pid']})",
                "warning",
                {"pid": row["pid"], "seconds": row["open"], "role": row["role"], "database": row["database"]},
            )
        )
    return found


async def forgotten_prepared_transaction(server: Server) -> Found:
    """Two-phase commits without a second phase: they survive restarts, locks included."""
    return [
        Finding(
            "forgotten-prepared-transaction",
            f"prepared transaction {row['gid']}",
            f"{row['role']} prepared it {duration(row['open'])} ago in {row['database']}: it keeps its locks, and "
            "vacuum keeps all that died since",
            "commit it or roll it back, in that database",
            "",
            "warning",
            {"gid": row["gid"], "seconds": row["open"], "database": row["database"]},
        )
        for row in await server.fetch(PREPARED, server.limits.transaction)
    ]


def subject(pid: int, application: str | None) -> str:
    return f"{application or '(no name)'}, pid {pid}"


def _hidden(server: Server, rule: str) -> Found:
    return [] if server.facts.sees_sessions else [Unknown(rule, HIDDEN)]
