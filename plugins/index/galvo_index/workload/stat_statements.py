"""A workload from pg_stat_statements: everybody's statements, without their arguments."""

from __future__ import annotations

import re

import asyncpg

from galvo import GalvoError
from galvo_index.workload.statement import Statement

MOST = 500
"""Statements; the costliest."""

_TYPED = re.compile(
    r"\b(date|timestamptz|timetz|interval|time(?:stamp)?(?:\s+with(?:out)?\s+time\s+zone)?)\s+(\$\d+)", re.IGNORECASE
)
_WHERE = "select n.nspname from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace"
_QUERY = """
select s.query, sum(s.calls)::float8, sum(s.total_exec_time)::float8 / 1000, sum(s.rows)::float8
from {schema}.pg_stat_statements s
where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) {top}
  and s.query <> '<insufficient privilege>' and s.query ~* '^\\s*(select|insert|update|delete|with|merge|/\\*|--|\\()'
group by s.query order by 3 desc limit $1
"""


async def read(connection: asyncpg.Connection, most: int = MOST) -> list[Statement]:
    """The costliest first. Raises GalvoError that says what to change when it is not there or may not be read."""
    schema = await connection.fetchval(f"{_WHERE} where x.extname = 'pg_stat_statements'")
    if schema is None:
        raise GalvoError(
            "this database has no pg_stat_statements: say `create extension pg_stat_statements`, or give a file of SQL"
        )
    quoted = await connection.fetchval("select pg_catalog.quote_ident($1)", schema)
    version = connection.get_server_version().major
    query = _QUERY.format(schema=quoted, top="and s.toplevel" if version >= 14 else "")
    try:
        rows = await connection.fetch(query, most)
    except asyncpg.ObjectNotInPrerequisiteStateError:
        raise GalvoError("pg_stat_statements has to be in shared_preload_libraries, or give a file of SQL") from None
    except asyncpg.InsufficientPrivilegeError:
        raise GalvoError("this role may not read pg_stat_statements: grant it pg_read_all_stats") from None
    return [Statement(_parsable(sql), calls=calls, seconds=seconds, rows=rows) for sql, calls, seconds, rows in rows]


def _parsable(sql: str) -> str:
    """Literals become arguments, also where SQL takes no argument: `date $1`."""
    return _TYPED.sub(r"\2::\1", sql)
