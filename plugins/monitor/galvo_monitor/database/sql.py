"""What is asked. Names without a schema are PostgreSQL's own, whatever the search path is."""

from __future__ import annotations

BEGIN = """
begin read only; set local search_path = pg_catalog, pg_temp; set local jit = off;
set local application_name = 'galvo monitor'; set local lock_timeout = '500ms'; set local statement_timeout = {timeout}
"""
"""Nothing stays in the session, which a pooler may give to others."""

SESSIONS = """
with session as (
  select pid, state, wait_event_type, extract(epoch from clock_timestamp() - xact_start)::float8 as open,
    extract(epoch from clock_timestamp() - state_change)::float8 as since,
    state in ('idle in transaction', 'idle in transaction (aborted)') as waits
  from pg_stat_activity
  where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend'
    and pid <> pg_backend_pid()
)
select count(*)::int as sessions,
  count(*) filter (where state = 'active')::int as active,
  count(*) filter (where state = 'idle')::int as idle,
  count(*) filter (where waits)::int as in_transaction,
  count(*) filter (where state is null or state = 'disabled')::int as hidden,
  (array_agg(pid order by since desc) filter (where waits and since >= $1))[1:100] as idle_pids,
  count(*) filter (where waits and since >= $1)::int as idle_count,
  coalesce(max(since) filter (where waits), 0) as idle_oldest,
  count(*) filter (where wait_event_type = 'Lock')::int as blocked,
  coalesce(max(open), 0) as longest,
  (select coalesce(sum(numbackends), 0) from pg_stat_database)::int as connections,
  current_setting('max_connections')::int as connections_most
from session
"""
COUNTS = """
select blks_hit, blks_read, xact_commit, xact_rollback, deadlocks, temp_bytes
from pg_stat_database where datname = current_database()
"""
BLOCKED = """
with waiting as (
  select pid, min({waitstart}) as began from pg_locks
  where not granted and pid is not null
    and (database is null or database in (0, (select oid from pg_database where datname = current_database())))
  group by pid order by 2 nulls last limit 1
)
select w.pid, extract(epoch from clock_timestamp() - w.began)::float8 as waited, b.blocker,
  coalesce(a.state, '') as state, extract(epoch from clock_timestamp() - a.state_change)::float8 as since
from waiting w cross join lateral (select (pg_blocking_pids(w.pid))[1]) b(blocker)
left join pg_stat_activity a on a.pid = b.blocker
where b.blocker is not null
"""
UPKEEP = """
select (select max(age(datfrozenxid)) from pg_database)::int8 as xid_age,
  coalesce(sum(n_dead_tup), 0)::int8 as dead, coalesce(sum(n_live_tup), 0)::int8 as live
from pg_stat_user_tables
"""
