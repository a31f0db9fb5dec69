"""Roll-ups in PostgreSQL: history that outlives the process. Whatever goes wrong there, the app goes on."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from galvo import Context
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.series import Series
from galvo_monitor.store import table
from galvo_monitor.store.apart import Apart
from galvo_monitor.store.ring import Point
from galvo_monitor.store.store import Store

BATCH: Final = 100
"""Stretches of each step that one insert takes, after a time without the database."""
PATIENCE: Final = 8.0
"""Seconds that all of it may take, with the wait for a connection."""
EXPIRE: Final = 3600.0
"""Seconds between two deletions of what is too old."""
PAUSE: Final = 60.0
LONGEST: Final = 1800.0
"""Seconds between two attempts: at first, doubled with each, and at most."""
CAUSES: Final = {
    "42501": "this role may not use galvo.monitor_history: grant it create on the database, or have its owner create "
    "the table and grant select, insert, update and delete on it",
    "53100": "the database's disk is full",
    "55P03": "somebody holds a lock on galvo.monitor_history",
    "25006": "the database is read-only",
}
"""By SQLSTATE."""


class RollUps:
    """`start` once, before the store's first moment; `write` after each. Neither raises."""

    def __init__(
        self,
        context: Context | Apart,
        store: Store,
        *,
        instance: str = "",
        log: logging.Logger | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`instance`: whose history this is; processes that share one write the same rows."""
        self._context = context
        self._store = store
        self._instance = instance
        self._log = log or logging.getLogger("galvo.monitor")
        self._clock = clock
        self._steps = [step for step in table.SPANS if step in store.steps]
        self._written = dict.fromkeys(self._steps, -math.inf)
        self._pause = PAUSE
        self._next = self._expired = -math.inf
        self._prepared = self._restored = self._busy = False
        self._one = CapacityLimiter(1)  # the application may have all its threads at work
        self.problem: str | None = None
        """A sentence: why history is in memory only."""
        self.rows = 0
        """Written so far."""

    async def start(self, now: float) -> None:
        """Bring back what is kept. `now`: seconds since the epoch. When it fails, `write` makes up for it."""
        await self._guarded(now, write=False)

    async def write(self, now: float) -> None:
        """Write what has been rolled up since the last time, if anything has."""
        await self._guarded(now, write=True)

    async def _guarded(self, now: float, *, write: bool) -> None:
        if self._busy or self._clock() < self._next:
            return
        self._busy = True
        try:
            async with asyncio.timeout(PATIENCE):
                if not self._prepared:
                    await table.prepare(self._context)
                    self._prepared = True
                if not self._restored:
                    await self._restore(now)
                    self._restored = True
                if write:
                    await self._save(now)
        except Exception as error:  # noqa: BLE001  # whatever it is, the app and the rings go on
            self._prepared = False  # somebody may have dropped it
            self._next = self._clock() + self._pause
            self._pause = min(self._pause * 2, LONGEST)
            self._tell(_sentence(error))
        else:
            self._pause = PAUSE
            if self.problem is not None:
                self.problem = None
                self._log.warning("history is written to the database again")
        finally:
            self._busy = False

    async def _restore(self, now: float) -> None:
        found = {step: await table.read(self._context, self._instance, step, now, self._store.most)
                 for step in self._steps}  # fmt: skip
        self._written |= await run_sync(self._put_back, found, limiter=self._one)

    def _put_back(self, found: dict[float, list[Any]]) -> dict[float, float]:
        """In a thread, as it takes seconds. The newest of each step."""
        kept = {step: table.moments_of(rows, step) for step, rows in found.items()}
        self._store.restore(kept)
        return {step: max(moments, default=-math.inf) for step, moments in kept.items()}

    async def _save(self, now: float) -> None:
        # Later than now: the clock was set back.
        self._written = {step: min(after, now) for step, after in self._written.items()}
        while rows := self._due():
            columns = await run_sync(table.columns_of, rows, limiter=self._one)
            await table.insert(self._context, self._instance, columns)
            self.rows += sum(len(points) for moments in rows.values() for _, points in moments)
            for step, moments in rows.items():
                self._written[step] = moments[-1][0]
        if self._clock() >= self._expired + EXPIRE:
            await table.expire(self._context)
            self._expired = self._clock()

    def _due(self) -> dict[float, list[tuple[float, dict[Series, Point]]]]:
        """By step, what is over and not written."""
        due = {step: self._store.rolled(step, after, BATCH) for step, after in self._written.items()}
        return {step: moments for step, moments in due.items() if moments}

    def _tell(self, sentence: str) -> None:
        if sentence != self.problem:
            self.problem = sentence
            self._log.warning("%s", sentence)


def _sentence(error: Exception) -> str:
    if isinstance(error, MonitorProblem):
        return f"history is kept in memory only: {error}"
    cause = CAUSES.get(str(getattr(error, "sqlstate", None)), f"{type(error).__name__}: {error}".removesuffix(": "))
    return f"history is kept in memory only, until this is over: {cause}"
