"""Sorts and hashes that did not fit into memory, of the whole database."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.limits import DAY, MIB
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import many, rounded, setting, size

MOST = 256 * MIB
"""Each sort of each session may take work_mem: more is for a role or a query to set."""
FILES = 100

SQL = "select temp_files as files, temp_bytes::float8 as bytes from pg_stat_database where datname = current_database()"


async def temporary_files(server: Server) -> Found:
    """A sort in memory needs about twice what it writes to disk."""
    facts = server.facts
    row = (await server.fetch(SQL))[0]
    days = max(1.0, facts.counted / DAY)
    if row["files"] < FILES or row["bytes"] < server.limits.temporary * days:
        return []
    now, mean = facts.number("work_mem") * 1024, row["bytes"] / row["files"]
    wanted = rounded(2 * mean)
    seen = f"{many(row['files'], 'temporary file')} of {size(mean)} on average were written, {size(row['bytes'])} "
    seen += f"in all: sorts and hashes do not fit into work_mem = {setting(now)}"
    advice = "see by `galvo index slow` which queries spill, and set work_mem for the roles that run them"
    sql = ""
    if now < wanted <= MOST:
        advice = f"set work_mem to {setting(wanted)} for the role that runs them, if memory allows it for all sessions"
        sql = f"set work_mem = '{setting(wanted)}'"
    evidence = {"files": row["files"], "bytes": row["bytes"], "work_mem": now}
    return [Finding("temporary-files", f"database {facts.database}", seen, advice, sql, "info", evidence)]
