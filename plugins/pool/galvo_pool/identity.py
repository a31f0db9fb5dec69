"""What a connection leads to, and under which settings: connections of one identity give the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from galvo_pool import private

# Another server has another start, and the recovery from a crash, which empties unlogged tables, begins the statistics
# anew. The system identifier and the timeline would add nothing, and not every hosted server shows them.
IDENTITY = """
select pg_catalog.json_build_array(
  d.oid, pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_stat_get_bgwriter_stat_reset_time(),
  current_user, session_user,
  array(select pg_catalog.current_setting(name, true) from pg_catalog.unnest($1::pg_catalog.text[]) name)
)::pg_catalog.text
from pg_catalog.pg_database d where d.datname operator(pg_catalog.=) pg_catalog.current_database()
"""


async def read_identity(connection: Any, settings: Sequence[str], timeout: float | None = None) -> bytes:
    """The identity of an asyncpg connection, `settings` among it; `timeout` is in seconds. Raises what asyncpg does."""
    # asyncpg's own, whatever an application's class makes of it; unnamed, as it is asked once
    statement = await private.Connection._prepare(connection, IDENTITY, name="", timeout=timeout)
    found = await statement.fetchval(settings, timeout=timeout)
    return blake2b(repr((settings, found)).encode("utf-8", "backslashreplace"), digest_size=16).digest()
