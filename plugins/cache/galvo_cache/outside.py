"""Writers that do not go through galvo, as this process learns of them: notified by triggers, or by the statistics."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskGroup

from galvo import Context, Metric
from galvo_cache.external.announced import Announced
from galvo_cache.external.levels import Levels
from galvo_cache.external.listener import Listener
from galvo_cache.external.statistics import Statistics
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger
from galvo_cache.relay import Relay
from galvo_cache.settings import CacheSettings
from galvo_cache.touch import Touch
from galvo_cache.touching import Draft

UNANNOUNCED = Metric("galvo.cache.unannounced_writes", "counter", "{write}")
LOOK = 0.05


class Outside:
    """Invalidates what writers outside galvo touch, and tells their writes from ours."""

    def __init__(self, settings: CacheSettings, context: Context, ledger: Ledger, knowledge: Knowledge) -> None:
        self._settings = settings
        self._context = context
        self._ledger = ledger
        self._knowledge = knowledge
        self.relay: Relay | None = None
        """Tells other processes, if there are any."""
        self._own = Announced()
        self._told = Announced()
        self.noticed = 0
        self._listener = Listener(self._connect, self._heard, self._doubt, known=self._is_ours, log=context.log)
        self._statistics = Statistics(
            context.fetch,
            lambda: set(ledger.read_now()),
            self._written,
            lambda table: self._own(table) or self._told(table),
            on_unannounced=lambda table: context.record(UNANNOUNCED),
            interval=settings.watch or 1.0,
            log=context.log,
        )
        self._levels = Levels(
            settings.external,
            "statistics" if settings.watch else "ttl",
            listening=lambda: self._listener.listening,
            counting=lambda: bool(settings.watch) and self._statistics.counting,
        )

    async def run(self, tasks: TaskGroup) -> None:
        """Wait for a database, then watch it until cancelled. Triggers may be installed at any time."""
        while self._context.capability("pool") is None:  # noqa: ASYNC110  # nothing tells
            await anyio.sleep(LOOK)
        if self.relay is not None:
            tasks.start_soon(self.relay.run)
        if self._settings.watch:
            tasks.start_soon(self._statistics.run)
        listens = False
        again = LOOK
        while True:
            if await self._find_triggers():
                again = self._settings.catalog_refresh
            if self._levels.watched and not listens:
                listens = True
                tasks.start_soon(self._listener.run)
            await anyio.sleep(again)
            again = min(2 * again, self._settings.catalog_refresh)

    async def _find_triggers(self) -> bool:
        """Whether they could be looked for: a pool that is there may not answer yet, and until then nobody listens."""
        try:
            await self._levels.load(self._context.fetch)
        except Exception as error:  # noqa: BLE001  # the level is for people; without it the cache works
            self._context.log.debug("cannot look for triggers: %s", type(error).__name__)
            return False
        for problem in self._levels.problems:
            self._context.log.warning("%s", problem)
        return True

    async def _connect(self) -> Any:
        pool = self._context.capability("pool")
        if pool is None:
            raise ConnectionError("there is no pool to connect through")
        return await pool.connect()

    # -- what is heard --------------------------------------------------------------------------------

    def note(self, draft: Draft | None) -> None:
        """A write of ours begins or has ended; None touches anything."""
        self._own.note(None if draft is None else draft.touch)

    def follow(self, touch: Touch | None) -> None:
        """A write of another process that announces its writes."""
        self._told.note(touch)

    def _heard(self, table: int) -> None:
        self._told.note(self._invalidate(table) or [table])

    def _written(self, table: int) -> None:
        self._invalidate(table)

    def _doubt(self) -> None:
        self._touched(None)
        self._ledger.flushed()

    def _is_ours(self, pid: int, table: int) -> bool:
        pool = self._context.capability("pool")
        return self._own(table) and pool is not None and pid in pool.pids()

    def _invalidate(self, table: int) -> Touch | None:
        """Whoever wrote `table`, this is what may have changed with it."""
        touch = self._knowledge.reach(table)
        self.noticed += 1
        self._touched(touch)
        return touch

    def _touched(self, touch: Touch | None) -> None:
        if self.relay is not None:
            self.relay.add(touch)
        else:
            self._ledger.end(self._ledger.begin(touch))

    # -- telling --------------------------------------------------------------------------------------

    def level(self, table: int) -> str:
        return self._levels.level(table)

    def stats(self) -> dict[str, float]:
        return {"outside_writes": self.noticed, "unannounced_writes": sum(self._statistics.unannounced.values())}
