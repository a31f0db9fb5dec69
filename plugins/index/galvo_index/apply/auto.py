"""The loop that builds what was advised, one index at a time, and drops what did not help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import anyio
import asyncpg

from galvo import Context, GalvoError
from galvo_index.advise.advice import Advice
from galvo_index.apply.journal import PRESENT, Entry, Journal
from galvo_index.apply.leftovers import settle_all
from galvo_index.apply.limits import Limits
from galvo_index.apply.run import apply, changing
from galvo_index.apply.sums import Sums, Workload, sums
from galvo_index.apply.verify import REJECTED_DAYS, conclude, verdict
from galvo_index.apply.wish import wish
from galvo_index.database import Connect
from galvo_index.hours import hours
from galvo_index.lanes import GONE, Busy
from galvo_index.settings import IndexSettings
from galvo_index.workload.seen import source

Advise = Callable[[asyncpg.Connection, int], Awaitable[Sequence[Advice]]]
"""Within so many bytes."""
PAUSE: Final = 60.0
"""Seconds between two looks at what there is to do."""
PATIENCE: Final = 7
"""Windows of time after which an index that nothing has used has had its chance."""


async def run(context: Context, settings: IndexSettings, advise: Advise, workload: Workload | None = None) -> None:
    """Never ends. Does nothing unless `apply = "auto"`. `workload`: None is pg_stat_statements, where it is."""
    if settings.apply != "auto":
        return
    auto = Auto(context.capability("pool").connect, settings, advise, workload)
    while True:
        try:
            for sentence in await auto.turn(datetime.now().astimezone()):
                context.log.info("%s", sentence)
        except Busy as busy:
            context.log.debug("%s", busy)
        except (GalvoError, asyncpg.PostgresError, *GONE) as error:
            context.log.warning("indexes are not looked after now: %s", error)
        await anyio.sleep(PAUSE)


class Auto:
    """`turn` does what there is to do now."""

    def __init__(
        self,
        connect: Connect,
        settings: IndexSettings,
        advise: Advise,
        workload: Workload | None,
        limits: Limits | None = None,
    ) -> None:
        self._connect = connect
        self._settings = settings
        self._advise = advise
        self._workload = workload or source(connect)
        self._limits = limits or Limits(free=settings.apply_free or None)
        self._first: Sums | None = None
        self._looked: datetime | None = None

    async def turn(self, now: datetime) -> list[str]:
        """Judge what has been watched for long enough; then, in the off-peak hours and when nothing waits for its
        verdict, build the best index that was not rejected lately. Gives sentences on what was done.
        """
        if self._first is None:
            self._first = sums(await self._workload())
        async with changing(self._connect, self._limits) as connection:
            journal = Journal(connection)
            said, waiting = list[str](), list[Entry]()
            if await journal.exists():
                said += await settle_all(self._connect, connection, self._limits)
                waiting = await journal.entries("built")
            for entry in waiting:
                said += await self._judge(connection, entry, now)
            if waiting or not self._due(now):
                return said
        said += await self._build(now)
        return said

    def _due(self, now: datetime) -> bool:
        """Advice costs time, too: once in a window is enough."""
        window = self._settings.apply_window * 3600
        rested = self._looked is None or (now - self._looked).total_seconds() >= window
        return rested and hours(self._settings.off_peak).now(now)

    async def _judge(self, connection: asyncpg.Connection, entry: Entry, now: datetime) -> list[str]:
        window = self._settings.apply_window * 3600
        age = (now - entry.times["built"]).total_seconds()
        if age < window:
            return []
        seen = await verdict(connection, entry, self._workload, last=age >= PATIENCE * window)
        if seen.kept is None:
            return []
        await conclude(self._connect, connection, entry, seen, self._limits, auto=True)
        return [f"{entry.name} on {entry.table_name} {'stays' if seen.kept else 'was dropped'}: {seen.text}"]

    async def _build(self, now: datetime) -> list[str]:
        connection = await self._connect()
        try:
            exists = await Journal(connection).exists()
            ours = await Journal(connection).entries(*PRESENT) if exists else []
            left = self._settings.apply_budget - sum(entry.bytes for entry in ours)
            advised = await self._advise(connection, left) if left > 0 else []
            good = [
                advice
                for advice in advised
                if advice.verified != "no"
                and not (exists and await Journal(connection).rejected(advice.definition.name, REJECTED_DAYS))
            ]
        finally:
            await connection.close()  # the build would wait for its snapshot
        self._looked = now
        for advice in good:
            said, outcomes = await apply(
                self._connect, [wish(advice)], self._limits,
                allowed=self._settings.apply_tables, workload=self._workload, earlier=self._first,
            )  # fmt: skip
            said += [f"{one.name} on {one.table}: {one.text}" for one in outcomes]
            if any(one.built for one in outcomes):
                self._first = sums(await self._workload())
                return said
        return []
