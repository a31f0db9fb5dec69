"""One database of one server, as one role sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from galvo_index.health.limits import Limits

BEGIN = """
begin read only; set local search_path = pg_catalog, pg_temp; set local jit = off;
set local lock_timeout = '1s'; set local statement_timeout = '30s'
"""
"""Names without a schema are PostgreSQL's own then, and `regclass` writes all others with theirs. Nothing stays in the
session, which a pooler may give to others."""

FACTS = """
select current_setting('server_version_num')::int as version, pg_is_in_recovery() as standby,
  current_database()::text as database, current_setting('block_size')::int as block,
  pg_has_role('pg_read_all_stats', 'USAGE') as sees_sessions,
  pg_has_role('pg_read_all_settings', 'USAGE') as sees_settings,
  inet_server_addr() is null or inet_server_addr() << '127.0.0.0/8'::inet as local,
  (select count(*) from pg_stat_replication)::int as replicas,
  (select jsonb_object_agg(name, setting) from pg_settings)::text as settings,
  extract(epoch from now() - greatest(
    least((select stats_reset from pg_stat_bgwriter), (select stats_reset from pg_stat_archiver)),
    coalesce(d.stats_reset, (
      select min(t) from pg_stat_all_tables s join pg_class c on c.oid = s.relid and not c.relisshared,
        unnest(array[{last}]) t
    ), now())
  ))::float8 as counted,
  (select extract(epoch from now() - stats_reset)::float8 from pg_stat_bgwriter) as counted_server
from pg_stat_database d where datname = current_database()
"""
"""Since 15 a database's `stats_reset` is NULL until somebody resets it, and one made yesterday looks as old as its
server: then what is proven is the earliest "last" of any table of its own. After a crash all counting begins anew,
which shows in the server-wide views alone."""
LAST = ("last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze")
LAST_SCANS = ("last_seq_scan", "last_idx_scan")


class Facts(msgspec.Struct, frozen=True):
    version: int
    """server_version_num."""
    standby: bool
    database: str
    block: int
    """Bytes."""
    sees_sessions: bool
    """Whether pg_stat_activity shows other roles' sessions in full: pg_monitor, or pg_read_all_stats."""
    sees_settings: bool
    local: bool
    """On this machine."""
    replicas: int
    settings: dict[str, str]
    """In the server's own units."""
    counted: float
    """Seconds that this database's statistics go back, as far as it can be proven."""
    counted_server: float
    """Those of the whole server."""

    def number(self, name: str, default: float = 0.0) -> float:
        """A setting in its own unit; `default` when this server has none of that name."""
        return float(self.settings.get(name, default))


class Server:
    """What a rule may ask."""

    def __init__(self, connection: asyncpg.Connection, facts: Facts, limits: Limits) -> None:
        self._connection, self.facts, self.limits = connection, facts, limits

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(sql, *arguments)

    async def again(self) -> None:
        """After an error, which ends the transaction."""
        await self._connection.execute(f"rollback; {BEGIN}")

    def since(self, version: int, sql: str, otherwise: str = "") -> str:
        """`sql` on servers of this major version or later."""
        return sql if self.facts.version >= version * 10000 else otherwise


@asynccontextmanager
async def looking(connection: asyncpg.Connection, limits: Limits) -> AsyncIterator[Server]:
    """In one transaction, which reads and ends with the context. Raises what asyncpg does."""
    await connection.execute(BEGIN)
    try:
        last = (*LAST, *LAST_SCANS) if connection.get_server_version().major >= 16 else LAST
        row = (await connection.fetch(FACTS.format(last=", ".join(last))))[0]
        facts = msgspec.convert({**row, "settings": msgspec.json.decode(row["settings"])}, Facts)
        yield Server(connection, facts, limits)
    finally:
        if not connection.is_closed():
            await connection.execute("rollback")
