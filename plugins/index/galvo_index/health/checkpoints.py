"""Checkpoints that come because the WAL is full, not because it is time."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.limits import GIB, MIB
from galvo_index.health.report import Unknown
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import duration, rounded, setting

RULE = "forced-checkpoints"
MOST = 64 * GIB

# CHECKPOINT, CREATE DATABASE and backups force some too: those that the WAL forced have much of it between them.
SQL = """
select {timed} as timed, {requested} as requested, w.wal_bytes::float8 as wal,
  extract(epoch from now() - greatest(c.stats_reset, w.stats_reset))::float8 as since
from {view} c, pg_stat_wal w
"""


async def forced_checkpoints(server: Server) -> Found:
    """Each makes the next write of every page a full one."""
    facts = server.facts
    if facts.standby:
        return []
    if facts.version < 140000:
        return [Unknown(RULE, "how much WAL came between checkpoints is known from PostgreSQL 14 on")]
    words = {"timed": "checkpoints_timed", "requested": "checkpoints_req", "view": "pg_stat_bgwriter"}
    if facts.version >= 170000:
        words = {"timed": "num_timed", "requested": "num_requested", "view": "pg_stat_checkpointer"}
    row = (await server.fetch(SQL.format_map(words)))[0]
    most, forced = facts.number("max_wal_size") * MIB, row["requested"]
    if forced < server.limits.checkpoints or forced <= row["timed"] or row["wal"] / forced < most / 4:
        return []
    every = row["since"] / (forced + row["timed"])
    wanted = min(rounded(max(2 * most, 2 * facts.number("checkpoint_timeout") / every * most)), MOST)
    seen = (
        f"{forced:,} of {forced + row['timed']:,} checkpoints were forced as max_wal_size = {setting(most)} was full, "
    )
    seen += f"one each {duration(every)}: each makes the next write of every page a full one"
    sql = f"alter system set max_wal_size = '{setting(wanted)}'"
    evidence = {"forced": forced, "timed": row["timed"], "wal": row["wal"]}
    advice = f"set max_wal_size to {setting(wanted)}, if the disk has room, and reload"
    return [Finding(RULE, "server", seen, advice, sql, "warning", evidence)]
