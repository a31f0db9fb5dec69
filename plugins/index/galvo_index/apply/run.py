"""Builds indexes one after the other, and leaves nothing half done behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec

from galvo import GalvoError
from galvo_index.apply import disk, refusals
from galvo_index.apply.build import build, complete
from galvo_index.apply.dropping import BUSY
from galvo_index.apply.journal import Entry, Journal
from galvo_index.apply.leftovers import settle, settle_all
from galvo_index.apply.limits import Limits
from galvo_index.apply.refusals import Refused
from galvo_index.apply.sums import Sums, Workload, recent, sums
from galvo_index.apply.wish import Wish
from galvo_index.database import Connect
from galvo_index.lanes import GONE, lane

LOCK: Final = 0x67616C766F_01
"""Of the advisory lock of who creates or drops indexes in a database."""


class Outcome(msgspec.Struct, frozen=True):
    name: str
    table: str
    built: bool
    text: str
    """How it went, in a sentence."""


@asynccontextmanager
async def changing(connect: Connect, limits: Limits) -> AsyncIterator[asyncpg.Connection]:
    """The connection of the only process that creates or drops indexes here."""
    settings = {
        "lock_timeout": f"{limits.lock * 1000:.0f}ms",
        "statement_timeout": f"{limits.statement * 1000:.0f}ms",
        "application_name": "galvo index apply",
    }
    async with lane(connect, LOCK, "creates or drops indexes here", wait=limits.turn, **settings) as connection:
        await refusals.server(connection)
        yield connection


async def apply(
    connect: Connect,
    wishes: Sequence[Wish],
    limits: Limits,
    *,
    allowed: Sequence[str] = ("*",),
    workload: Workload | None = None,
    earlier: Sums | None = None,
) -> tuple[list[str], list[Outcome]]:
    """Gives sentences on what an earlier run had left, and how each wish went.

    `workload` is asked before and after each build, for the verdict; `earlier` is its answer from when the time before
    began. Raises GalvoError when nothing can be done at all.
    """
    said, outcomes = list[str](), list[Outcome]()
    try:
        async with changing(connect, limits) as connection:
            if wishes:
                await Journal(connection).install()
            said += await settle_all(connect, connection, limits)
            entries = await _intend(connection, wishes, allowed, outcomes)
            for entry in entries:
                outcomes.append(await _one(connect, connection, entry, limits, workload, earlier or {}))
    except GONE as error:
        outcomes += await _after_loss(connect, limits, wishes, outcomes, error)
    return said, outcomes


async def _intend(connection: asyncpg.Connection, wishes: Sequence[Wish], allowed: Sequence[str],
                  outcomes: list[Outcome]) -> list[Entry]:  # fmt: skip
    """All that was consented to is written down before the first begins."""
    journal, entries = Journal(connection), list[Entry]()
    for wish in wishes:
        definition = wish.definition
        try:
            oid, name = await refusals.table(connection, definition, allowed)
        except Refused as refusal:
            outcomes.append(Outcome(definition.name, definition.relation, built=False, text=str(refusal)))
            continue
        size = wish.bytes or await disk.estimated(connection, oid, len(definition.keys))
        id = await journal.intend(oid, name, definition.name, definition.sql(), wish.reason, wish.gain, size)
        entries.append(await journal.entry(id))
    return entries


async def _one(connect: Connect, connection: asyncpg.Connection, entry: Entry, limits: Limits,
               workload: Workload | None, earlier: Sums) -> Outcome:  # fmt: skip
    journal = Journal(connection)
    try:
        await refusals.transactions(connection, limits.transaction)
        await disk.room(connection, entry.bytes, limits)
        before = recent(earlier, sums(await workload())) if workload else None
        entry = await build(connect, connection, entry, limits, before)
        entry = await complete(connection, entry, sums(await workload()) if workload else None)
    except GONE:
        raise
    except (GalvoError, asyncpg.PostgresError) as error:
        why = _why(error, limits)
        entry = await journal.entry(entry.id)
        await journal.note(entry, why)
        try:
            await settle(connect, connection, await journal.entry(entry.id), limits)
        except GONE:
            raise
        except (GalvoError, asyncpg.PostgresError) as later:
            why += f"; {later}"
        return Outcome(entry.name, entry.table_name, built=False, text=why)
    took = (entry.times["built"] - entry.times["building"]).total_seconds()
    return Outcome(entry.name, entry.table_name, built=True, text=f"built in {took:.1f} s")


def _why(error: Exception, limits: Limits) -> str:
    if isinstance(error, asyncpg.LockNotAvailableError):
        return f"others used the table for longer than the lock timeout of {limits.lock:g} s: try again when they end"
    if isinstance(error, BUSY):
        return f"cancelled, because somebody waited behind it or it took too long ({error})"
    return str(error) if isinstance(error, GalvoError) else f"the database says: {' '.join(str(error).split())}"


async def _after_loss(connect: Connect, limits: Limits, wishes: Sequence[Wish], outcomes: Sequence[Outcome],
                      error: BaseException) -> list[Outcome]:  # fmt: skip
    """Clean up at once when the server is back already; else the next run does it."""
    text = f"the connection was lost ({str(error) or type(error).__name__})"
    try:
        async with changing(connect, msgspec.structs.replace(limits, turn=max(limits.turn, 10.0))) as connection:
            await settle_all(connect, connection, limits)
    except (GalvoError, *GONE):
        text += "; what is left of it is dropped by the next run of galvo index apply"
    done = {outcome.name for outcome in outcomes}
    return [
        Outcome(wish.definition.name, wish.definition.relation, built=False, text=text)
        for wish in wishes
        if wish.definition.name not in done
    ]
