"""What pg_stat_statements knows: everybody's statements, also those that did not come by this process."""

from __future__ import annotations

from typing import Any

import asyncpg

from galvo import GalvoError
from galvo_index.plans.node import Plan
from galvo_sql import redacted

ORDERS = {"total": "total_exec_time", "mean": "mean_exec_time", "calls": "calls", "io": "shared_blks_read"}
_SCHEMA = """
select pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_extension x
join pg_catalog.pg_namespace n on n.oid = x.extnamespace where x.extname = 'pg_stat_statements'
"""
_QUERY = """
select s.query, s.calls, s.total_exec_time / 1000 as seconds, s.mean_exec_time / 1000 as mean,
  s.max_exec_time / 1000 as max, s.rows, s.shared_blks_hit, s.shared_blks_read,
  s.temp_blks_read + s.temp_blks_written as temp_blks
from {schema}.pg_stat_statements s
where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) {top}
  and s.mean_exec_time >= $1
order by s.{order} desc limit $2
"""
_PAGES = """
select sum(calls) as calls, sum(shared_blks_hit) as hit, sum(shared_blks_read) as read,
  sum(temp_blks_read + temp_blks_written) as temp
from {schema}.pg_stat_statements
where queryid = $1 and dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
"""
PATIENCE = 2.0
"""Seconds."""
HOW = (
    "this database has no pg_stat_statements: put `shared_preload_libraries = 'pg_stat_statements'` into "
    "postgresql.conf, restart the server, and say `create extension pg_stat_statements`"
)


async def statements(
    connection: asyncpg.Connection, *, order: str = "total", count: int = 10, at_least: float = 0.0
) -> list[dict[str, Any]]:
    """The costliest first, without literals; `at_least`: seconds on average. Raises GalvoError that says what to do."""
    schema = await connection.fetchval(_SCHEMA)
    if schema is None:
        raise GalvoError(HOW)
    version = connection.get_server_version().major
    query = _QUERY.format(schema=schema, order=ORDERS[order], top="and s.toplevel" if version >= 14 else "")
    try:
        rows = await connection.fetch(query, at_least * 1000, count)
    except asyncpg.ObjectNotInPrerequisiteStateError:
        raise GalvoError(
            "pg_stat_statements is not loaded: put it into shared_preload_libraries and restart the server"
        ) from None
    except asyncpg.InsufficientPrivilegeError:
        raise GalvoError("this role may not read pg_stat_statements: grant it pg_read_all_stats") from None
    return [{**dict(row), "query": _shown(row["query"])} for row in rows]


async def counted(connection: asyncpg.Connection, plan: Plan) -> dict[str, float]:
    """Pages that the statement of a plan has taken so far; empty when the server does not say."""
    query_id = plan.raw.get("Query Identifier")
    if not isinstance(query_id, int):
        return {}
    try:
        schema = await connection.fetchval(_SCHEMA, timeout=PATIENCE)
        row = await connection.fetchrow(_PAGES.format(schema=schema), query_id, timeout=PATIENCE) if schema else None
    except (asyncpg.PostgresError, TimeoutError):
        return {}
    return {name: float(value) for name, value in row.items()} if row is not None and row["calls"] else {}


def _shown(query: str | None) -> str:
    if query is None or query == "<insufficient privilege>":
        return "(another role's: grant pg_read_all_stats)"
    return redacted(query)
