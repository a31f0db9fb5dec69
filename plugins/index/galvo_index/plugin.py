"""The layer of `on_query` between cache and pool: it sees what reaches the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import anyio

import galvo
from galvo import Context, Freed, Level, MemoryPressure, Plugin, Proceed, Query, Rows, hookimpl
from galvo_index.finding import Finding
from galvo_index.settings import IndexSettings
from galvo_index.upkeep import auto as upkeep
from galvo_index.watch.metering import metering
from galvo_index.watch.outcome import affected, sample
from galvo_index.watch.repeats import LEAST
from galvo_index.watch.watch import BATCH, Watch
from galvo_index.workload import Statement


class IndexPlugin(Plugin):
    """Watches, and changes nothing unless the settings say so."""

    name = "index"
    api = ">=1.2,<2"
    after = ("embedded", "pool")
    provides = ("index",)
    settings_type = IndexSettings

    def __init__(self, settings: IndexSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._slow = settings.slow
        self._watch = Watch(settings, context)
        self._metering = metering(context, self.stats)
        # Looked up once: the next method runs for every query.
        self._batch = self._watch.batch
        self._repeats = self._watch.repeats

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch.slow.run)
            tasks.start_soon(self._watch.merge)
            tasks.start_soon(self._metering.run)
            if self._settings.apply == "auto":
                from galvo_index import building  # the advisor takes as long to import as all the rest

                tasks.start_soon(building.run, self.context, self._settings, self.watched)
            tasks.start_soon(upkeep.run, self.context, self._settings)
            yield
            tasks.cancel_scope.cancel()
            self._repeats.stop()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        kind = query.kind
        if kind == "value":  # the statements that it is made of come by themselves
            return await proceed(query)
        began = perf_counter()
        try:
            rows = await proceed(query)
        except BaseException as error:
            self._watch.failed(query, perf_counter() - began, error)
            raise
        seconds = perf_counter() - began
        batch = self._batch
        if self._repeats.following:
            self._repeats.saw(query, rows)
        if kind == "rows":
            count = len(rows.records)
            batch.append((query.sql, query.args, seconds, count))
            if count >= LEAST and not self._repeats.following:
                self._repeats.begin(query, rows, began)
        else:
            batch.append((query.sql, sample(query), seconds, affected(query, rows)))
        if query.session is not None:
            self._watch.sessions.saw(query.session, query.sql)
        if len(batch) >= BATCH:
            self._watch.count()
        if seconds >= self._slow:
            self._watch.noticed(query, seconds)
        return rows

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        """Arguments are a megabyte at most, and plans and advice want them: they are the last to go."""
        if pressure.level is not Level.CRITICAL:
            return None
        return Freed(self._watch.statements.clear_arguments(), "samples of arguments")

    # -- the capability `index` -----------------------------------------------------------------------

    def watched(self) -> list[Statement]:
        """What reached the database, with arguments it was really called with: for the advisor, not to be shown."""
        return self._watch.watched()

    def findings(self) -> list[Finding]:
        """What is wrong with statements and their plans, newest last; at most 100."""
        return self._watch.findings()

    def top(self, count: int = 10) -> list[dict[str, Any]]:
        """The statements that took most time, without literals and arguments."""
        return self._watch.top(count)

    def slow(self) -> list[dict[str, Any]]:
        """The last slow runs, newest last, without literals and arguments."""
        return self._watch.events()

    async def checkup(self) -> Sequence[galvo.Finding]:
        pool = self.context.capability("pool")
        if pool is None:
            return [galvo.Finding("database", "not looked at: no pool runs")]
        from galvo_index.health.checkup import checkup

        return await checkup(pool.connect)

    async def explain(self, query: Query) -> dict[str, Any] | None:
        """The plan that it would have now, and what was seen of it so far."""
        seen, pool = self._watch.explain(query.sql) or {}, self.context.capability("pool")
        if pool is None or query.kind != "rows":
            return seen or None
        from galvo_index.plans.telling import told

        return seen | await told(pool.connect, query.sql, self._settings.explain_timeout)

    def stats(self) -> dict[str, float]:
        return self._watch.stats()
