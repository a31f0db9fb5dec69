"""Reads one sample in one short transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from galvo_monitor.database import sql
from galvo_monitor.database.sample import Blocked, Sample, Upkeep

Counts = dict[str, float]
"""Of the database since its statistics began."""


async def ask(
    connection: Any, *, timeout: float, idle: float, before: Counts, upkeep: bool
) -> tuple[Sample, Counts, Upkeep | None]:
    """`timeout`: seconds that a statement may take; `idle`: seconds from which a transaction is idle for long.

    `connection` is asyncpg's. Raises what it raises, and leaves it in a transaction then.
    """
    await connection.execute(sql.BEGIN.format(timeout=int(timeout * 1000)))
    told = await connection.fetchrow(sql.SESSIONS, idle)
    row = await connection.fetchrow(sql.COUNTS)
    counts = {name: float(value) for name, value in row.items()} if row is not None else {}
    blocker = await _blocked(connection) if told["blocked"] else None
    slow = await connection.fetchrow(sql.UPKEEP) if upkeep else None
    await connection.execute("rollback")
    sample = Sample(
        sessions={
            "active": told["active"],
            "idle": told["idle"],
            "idle in transaction": told["in_transaction"],
            "other": told["sessions"] - told["active"] - told["idle"] - told["in_transaction"],
        },
        hidden=told["hidden"],
        idle=tuple(told["idle_pids"] or ()),
        idle_count=told["idle_count"],
        idle_oldest=told["idle_oldest"],
        blocked=told["blocked"],
        longest=told["longest"],
        connections=told["connections"],
        connections_most=told["connections_most"],
        hit_ratio=_ratio(new(counts, before)) if before else None,
        blocker=blocker,
    )
    return sample, counts, Upkeep(slow["xid_age"], slow["dead"], slow["live"]) if slow is not None else None


def new(counts: Counts, before: Counts) -> Counts:
    """What has come since; nothing when the statistics were reset in between."""
    if not before or any(counts.get(name, 0.0) < value for name, value in before.items()):
        return {}
    return {name: value - before.get(name, 0.0) for name, value in counts.items()}


def _ratio(counts: Mapping[str, float]) -> float | None:
    hit, read = counts.get("blks_hit", 0.0), counts.get("blks_read", 0.0)
    return hit / (hit + read) if hit + read else None


async def _blocked(connection: Any) -> Blocked | None:
    waitstart = "waitstart" if connection.get_server_version().major >= 14 else "null::timestamptz"
    row = await connection.fetchrow(sql.BLOCKED.format(waitstart=waitstart))
    return Blocked(row["pid"], row["waited"], row["blocker"], row["state"], row["since"]) if row is not None else None
