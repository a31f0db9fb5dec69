"""What is looked at: the server's settings and sessions, and the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from galvo_pool.sizing.ceiling import LOCAL_SQL, TOKEN

ASK_SETTINGS = """
select name, setting, unit from pg_catalog.pg_settings where name = any($1::text[])
"""
ASK_SESSIONS = """
select coalesce(nullif(application_name, ''), '(no name)') as application, pid, state,
  extract(epoch from pg_catalog.clock_timestamp() - state_change)::float8 as since,
  extract(epoch from pg_catalog.clock_timestamp() - xact_start)::float8 as transaction,
  (select count(*) from pg_catalog.pg_stat_activity b
    where b.wait_event_type = 'Lock' and a.pid = any(pg_catalog.pg_blocking_pids(b.pid))) as blocks
from pg_catalog.pg_stat_activity a where backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid()
"""
SETTINGS = (
    "autovacuum", "effective_cache_size", "fsync", "full_page_writes", "idle_in_transaction_session_timeout",
    "maintenance_work_mem", "max_connections", "max_wal_size", "random_page_cost", "reserved_connections",
    "shared_buffers", "statement_timeout", "superuser_reserved_connections", "synchronous_commit",
    "track_io_timing", "work_mem",
)  # fmt: skip
UNITS = {"B": 1, "kB": 1024, "8kB": 8192, "MB": 1024**2, "16MB": 16 * 1024**2, "ms": 0.001, "s": 1, "min": 60}


@dataclass(frozen=True, slots=True)
class Session:
    """One client of the server. Times are in seconds."""

    application: str
    pid: int
    state: str
    """active, idle, idle in transaction, ...; "" when we may not know."""
    since: float
    """How long it has been in this state."""
    transaction: float
    """How long its transaction has been open; 0 when there is none."""
    blocks: int
    """How many sessions wait for a lock that it holds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one server at one moment."""

    settings: dict[str, float | str]
    """Bytes, seconds, numbers, or words."""
    sessions: Sequence[Session] = ()
    cores: int = 1
    memory: int = 0
    """Bytes of this machine; says something of the server if that is `local`."""
    local: bool = False
    pools: dict[str, int] = field(default_factory=dict)
    """The settings under `[pool]`: min_size and max_size."""

    def number(self, name: str) -> float:
        value = self.settings.get(name, 0)
        return value if isinstance(value, int | float) else 0.0


async def look(connection: Any, pools: dict[str, int] | None = None) -> Facts:
    """Ask `connection`, an asyncpg one. Raises what asyncpg does."""
    rows = await connection.fetch(ASK_SETTINGS, list(SETTINGS))
    sessions = [
        Session(
            TOKEN.sub("", row["application"]) or "galvo", row["pid"], row["state"] or "", row["since"] or 0.0,
            row["transaction"] or 0.0, row["blocks"],
        )
        for row in await connection.fetch(ASK_SESSIONS)
    ]  # fmt: skip
    return Facts(
        settings={row["name"]: value(row["setting"], row["unit"]) for row in rows},
        sessions=sessions,
        cores=os.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        local=bool(await connection.fetchval(LOCAL_SQL)),
        pools=pools or {},
    )


def value(setting: str, unit: str | None) -> float | str:
    """In bytes or seconds where the server counts in its own units."""
    try:
        return float(setting) * UNITS.get(unit or "", 1)
    except ValueError:
        return setting


def sizes(settings: Any) -> dict[str, int]:
    """`Facts.pools` of the settings under `[pool]`; max_size may be "auto"."""
    found = {name: getattr(settings, name) for name in ("min_size", "max_size")}
    return {name: size for name, size in found.items() if isinstance(size, int)}
