"""Who waits for whom: the session at the root of each chain, as ending another one frees nobody."""

from __future__ import annotations

from collections import defaultdict

from asyncpg import Record

from galvo_index.finding import Finding
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.sessions import subject
from galvo_index.health.words import duration, many

RULE = "blocking-chain"
CRITICAL_SECONDS, CRITICAL_SESSIONS = 300.0, 10

# Roles without privileges do not see who waits, but pg_locks shows everybody what was not granted. A prepared
# transaction blocks as process 0.
SQL = """
with waiting as (
  select pid, min({since}) as since, min(relation::bigint)::oid::regclass::text as relation
  from pg_locks where not granted and pid is not null group by pid
), edge as (
  select w.pid, w.since, w.relation, b.blocker
  from waiting w, unnest(pg_blocking_pids(w.pid)) b(blocker)
)
select e.pid, e.blocker, e.relation, a.application_name as application, a.state,
  extract(epoch from clock_timestamp() - coalesce(e.since, w.state_change))::float8 as waited,
  extract(epoch from clock_timestamp() - a.state_change)::float8 as state_since,
  extract(epoch from clock_timestamp() - a.xact_start)::float8 as open
from edge e left join pg_stat_activity a on a.pid = e.blocker left join pg_stat_activity w on w.pid = e.pid
"""


async def blocking_chain(server: Server) -> Found:
    """One finding for each root, with everybody who waits because of it, at whatever distance."""
    rows = await server.fetch(SQL.format(since=server.since(14, "waitstart", "null::timestamptz")))
    found: Found = []
    for root, waiting in roots([(row["pid"], row["blocker"]) for row in rows]).items():
        mine = [row for row in rows if row["pid"] in waiting]
        longest = max((row["waited"] for row in mine if row["waited"] is not None), default=0.0)
        if longest >= server.limits.blocked:
            found.append(_finding(root, waiting, longest, mine))
    return found


def roots(edges: list[tuple[int, int]]) -> dict[int, set[int]]:
    """Whoever blocks without waiting, with all that wait for it, directly or through others."""
    blocked_by = defaultdict(set)
    for waiter, blocker in edges:
        blocked_by[blocker].add(waiter)
    waiters = {waiter for waiter, _ in edges}
    chains = {}
    for root in blocked_by.keys() - waiters:
        reached: set[int] = set()
        todo = [root]
        while todo:
            fresh = blocked_by.get(todo.pop(), set()) - reached
            reached |= fresh
            todo += fresh
        chains[root] = reached
    return chains


def _finding(root: int, waiting: set[int], longest: float, rows: list[Record]) -> Finding:
    own = next(row for row in rows if row["blocker"] == root)
    direct = {row["pid"] for row in rows if row["blocker"] == root}
    who = many(len(waiting), "session waits", "sessions wait")
    seen = f"{who} for locks because of it, the longest for {duration(longest)}"
    if waiting - direct:
        seen += f"; {many(len(waiting - direct), 'of them does', 'of them do')} so behind others that wait"
    if own["relation"]:
        seen += f"; it is about {own['relation']}"
    if own["state"] is not None and own["open"] is not None:
        seen += f"; it has been {own['state']} for {duration(own['state_since'])}"
    severe = longest >= CRITICAL_SECONDS or len(waiting) >= CRITICAL_SESSIONS
    prepared = root == 0
    return Finding(
        RULE,
        "a prepared transaction" if prepared else subject(root, own["application"]),
        seen,
        "look in pg_prepared_xacts, and commit or roll it back" if prepared else "let it finish, or end it",
        "" if prepared else f"select pg_terminate_backend({root})",
        "critical" if severe else "warning",
        {
            "root": root,
            "seconds": longest,
            "chain": [[r["pid"], r["blocker"]] for r in rows],
        },
    )
