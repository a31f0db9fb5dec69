"""Measures what an index that we built has gained, and writes the verdict down."""

from __future__ import annotations

from typing import Final

import asyncpg

from galvo_index.apply.dropping import drop
from galvo_index.apply.journal import PRESENT, Entry, Journal
from galvo_index.apply.judge import Verdict, judge
from galvo_index.apply.limits import Limits
from galvo_index.apply.ours import find
from galvo_index.apply.sums import Workload, between, key, sums
from galvo_index.apply.uses import Index, split
from galvo_index.database import Connect

REJECTED_DAYS: Final = 30.0
"""How long an index that did not help is not built again."""
_TABLE: Final = "select relname from pg_catalog.pg_class where oid = $1"
_SCANS: Final = "select coalesce(pg_catalog.pg_stat_get_numscans($1), 0)"


async def verdict(connection: asyncpg.Connection, entry: Entry, workload: Workload, *, last: bool) -> Verdict:
    """On a `built` entry, by what has run since. `last`: there has been time enough, so say something."""
    statements = await workload()
    after = between(entry.at_build or {}, sums(statements))
    ran = [statement for statement in statements if key(statement.sql) in after]
    found = await find(connection, entry)
    if found is None:
        return Verdict(None, None, 1.0, "the index is gone")
    others = [one for one in await Journal(connection).entries(*PRESENT) if one.id != entry.id]
    own, *besides = [Index(one.name, await connection.fetchval(_TABLE, one.relation) or "") for one in (entry, *others)]
    shares = await split(connection, ran, Index(found.name, own.table), besides)
    seen = judge(entry.before or {}, after, shares)
    scans = await connection.fetchval(_SCANS, found.oid)
    if seen.kept is not None or not last:
        return seen
    if scans:
        return Verdict(True, None, seen.drift, f"used {scans} times; {seen.text}")
    return Verdict(False, None, seen.drift, "nothing has used it")


async def conclude(connect: Connect, connection: asyncpg.Connection, entry: Entry, seen: Verdict, limits: Limits,
                   *, auto: bool) -> Entry:  # fmt: skip
    """Into the journal; only when told `auto` is one that did not help dropped. Raises Later."""
    entry = await Journal(connection).move(entry, "judged", kept=seen.kept, measured=seen.gain, note=seen.text)
    if auto and not seen.kept:
        entry = await drop(connect, connection, entry, limits, f"did not help: {seen.text}")
    return entry
