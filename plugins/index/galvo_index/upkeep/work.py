"""Vacuums and analyzes, one table at a time, giving way to everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any, Final

import asyncpg
import msgspec

from galvo import GalvoError
from galvo_index.database import Connect
from galvo_index.lanes import GONE, giving_way, lane
from galvo_index.upkeep import facts
from galvo_index.upkeep.needs import Need, need
from galvo_index.upkeep.thresholds import thresholds

LOCK: Final = 0x67616C766F_02
"""Of the advisory lock of who vacuums by need in a database."""
OLD: Final = 3600.0
"""Seconds from which a transaction makes a VACUUM useless: nothing that is newer can be removed."""


class Pace(msgspec.Struct, frozen=True):
    lock: float = 2.0
    """Seconds to wait for a lock, and that anybody may wait behind us."""
    statement: float = 3600.0
    """Seconds for one table."""
    pause: float = 10.0
    """Seconds between two tables."""
    cost_delay: str = "2ms"
    """As autovacuum's, which an ordinary VACUUM does not have."""


class Done(msgspec.Struct, frozen=True):
    need: Need
    text: str
    """How it went; "" for what was done."""


class Memory:
    """Since when autovacuum has been due on a table, by our own looks."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}

    def waited(self, oid: int) -> float:
        return self._clock() - self._since.get(oid, self._clock())

    def see(self, needs: list[Need]) -> None:
        left = {one.oid for one in needs if one.action == "leave"}
        self._since = {oid: self._since.get(oid, self._clock()) for oid in left}


async def needs(connection: asyncpg.Connection, memory: Memory | None = None, oid: int | None = None) -> list[Need]:
    """Of all tables, or of the one of `oid`; the most urgent first."""
    memory = memory or Memory()
    general = await facts.settings(connection)
    found = [
        need(table, thresholds(table, general), memory.waited(table.oid))
        for table in await facts.tables(connection, oid)
    ]
    return sorted((one for one in found if one), key=lambda one: (one.action != "freeze", -one.urgency))


async def work(connect: Connect, pace: Pace, memory: Memory, left: Callable[[], float]) -> AsyncIterator[Done]:
    """Does what is needed, and gives each as it ends. `left`: seconds until this has to end.

    Raises GalvoError when nothing can be done, Busy when another process does it.
    """
    options = {
        "lock_timeout": f"{pace.lock * 1000:.0f}ms",
        "vacuum_cost_delay": pace.cost_delay,
        "application_name": "galvo index upkeep",
    }
    async with lane(connect, LOCK, "vacuums tables here", wait=0, **options) as connection:
        if await connection.fetchval("select pg_catalog.pg_is_in_recovery()"):
            raise GalvoError("this server is a standby: its primary vacuums for it")
        found = await needs(connection, memory)
        memory.see(found)
        first = True
        for one in found:
            if one.action == "leave":
                yield Done(one, "left alone")
                continue
            if not first:
                await asyncio.sleep(pace.pause)
            first = False
            if left() <= 0:
                yield Done(one, "left for the next time: the off-peak hours are over")
                continue
            yield Done(one, await _one(connect, connection, one, pace, memory, min(left(), pace.statement)))


async def _one(
    connect: Connect, connection: asyncpg.Connection, one: Need, pace: Pace, memory: Memory, seconds: float
) -> str:
    """Looks again first: autovacuum may have been faster."""
    again = await needs(connection, memory, one.oid)
    if not again or again[0].action == "leave":
        return "nothing to do any more" if not again else f"left alone: {again[0].why}"
    if one.action != "analyze" and (who := await facts.oldest(connection, OLD)):
        return f"left alone: {who}, and nothing that is newer can be removed"
    skipped = list[str]()

    def listen(_: Any, message: Any) -> None:
        if message.severity_en == "WARNING":
            skipped.append(message.message)

    connection.add_log_listener(listen)
    try:
        await connection.execute(f"set statement_timeout = {max(1, int(seconds * 1000))}")
        async with giving_way(connect, connection, pace.lock):
            await connection.execute(again[0].sql)
    except GONE:
        raise
    except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
        return f"given up, so that nobody waits: {error}"
    except asyncpg.PostgresError as error:
        return f"the database says: {error}"
    finally:
        await connection.execute("set statement_timeout = 0")
        connection.remove_log_listener(listen)
    return f"left alone: {skipped[0]}" if skipped else ""
