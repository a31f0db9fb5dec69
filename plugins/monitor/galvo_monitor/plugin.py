"""Collects what is measured, and says what it means."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from time import time
from typing import TYPE_CHECKING, Any

import anyio

from galvo import Context, Finding, Metric, Plugin, hookimpl
from galvo_local import Answering, Surviving
from galvo_monitor.alerts import needed
from galvo_monitor.asking.answering import Answers
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.checkup import checkup
from galvo_monitor.collecting import Collection, Gathers, Judging, Schedule, sharing
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.loop import Lag, Pauses
from galvo_monitor.panels import Builder, Kept, tables_of
from galvo_monitor.settings import MonitorSettings
from galvo_monitor.store import Past, Store
from galvo_monitor.store.apart import Apart
from galvo_monitor.store.rollups import RollUps
from galvo_monitor.view import View

if TYPE_CHECKING:
    from galvo_monitor.store.sharing import Sharing


class MonitorPlugin(Plugin):
    """Monitor: metrics, alerts, insights, a dashboard, exporters."""

    name = "monitor"
    api = ">=1.2,<2"
    after = ("embedded", "pool", "cache", "index", "memory")
    provides = ("monitor",)
    settings_type = MonitorSettings

    def __init__(self, settings: MonitorSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._surviving = Surviving(context.log)
        older = context.capability(self.name)
        older = older if isinstance(older, MonitorPlugin) else None
        self._registry = self._registry_of(older)
        self._record = self._registry.record  # looked up once: the next method runs for every query
        self._store = self._store_of(older)
        same = older is not None and older._registry is self._registry
        self._older = older._sharing if older is not None and same else None
        self._sharing: Sharing | None = None
        self._gathers = Gathers(settings, context, self._record, self._registry.forget)
        self._judging = Judging(settings, context, self._gathers)
        self._store.needed = needed(self._judging.alerting.engine.rules)
        if older is not None:
            self._judging.alerting.inherit(older._judging.alerting)
        self._collection = Collection(
            self._registry,
            self._store,
            Kept((rule.metric, rule.aggregate) for rule in self._judging.alerting.engine.rules),
            Builder(tables_of(context)),
            self._judging,
            Schedule(settings.interval),
            self._surviving,
            gathers=self._gathers.all,
        )
        if older is not None and same:
            self._collection.inherit(older._collection)

    def _registry_of(self, older: MonitorPlugin | None) -> Registry:
        """A reload goes on counting where its last instance was."""
        if older is not None and older._settings.attributes == self._settings.attributes:
            return older._registry
        return Registry(most=self._settings.attributes)

    def _store_of(self, older: MonitorPlugin | None) -> Store:
        mine, its = self._settings, older._settings if older is not None else None
        if older is not None and its is not None and (its.interval, its.series) == (mine.interval, mine.series):
            return older._store
        return Store(interval=mine.interval, most=mine.series, log=self.context.log)

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self._record(metric, value)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        try:
            get_running_loop()
        except RuntimeError:
            raise MonitorProblem("it runs on asyncio only, and this is another event loop") from None
        pauses = Pauses(self._record)
        lag = Lag(self._record, also=pauses.tell)
        async with (
            sharing(self._settings, self.context, self.snapshot, self._older) as self._sharing,
            anyio.create_task_group() as tasks,
        ):
            self._older = None
            self._collection.merge = None if self._sharing is None else self._sharing.exchange
            if self._settings.history:
                self._collection.history = RollUps(Apart(self.context), self._store, instance=self._settings.namespace)
            if self._settings.answer:
                answering = Answering("monitor", Answers(self.view, self.wait).answer, self._surviving.part)
                tasks.start_soon(answering.run)
                await answering.ready.wait()
            try:
                pauses.start()
                lag.start()
                tasks.start_soon(self._judging.alerting.run)
                tasks.start_soon(self._collection.run)
                yield
            finally:
                lag.stop()
                pauses.stop()
                tasks.cancel_scope.cancel()
                await self._gathers.close()

    # -- the capability `monitor` ---------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """All that was recorded, of this process."""
        return self._registry.read(time())

    @property
    def shared(self) -> Callable[[], Coroutine[Any, Any, Snapshot | None]] | None:
        """Tells what all processes have recorded, as of their last collections; None: this one shares with nobody."""
        return None if self._sharing is None else self._sharing.total

    def view(self) -> View:
        """What there is to see."""
        return self._collection.view

    async def wait(self, after: float) -> View:
        """The next view that is made later than `after`, in seconds since the epoch; made sooner as somebody waits,
        but while processes share their numbers, which come all at once."""
        return await self._collection.wait(after)

    def past(self, series: str, start: float, end: float, points: int = 500) -> Past | None:
        """Of a series by its name, between two times in seconds since the epoch; None: there is no such series."""
        found = self._store.named(series)
        return None if found is None else self._store.past(found, start, end, points)

    async def checkup(self) -> Sequence[Finding]:
        return checkup(self._settings, len(self._judging.alerting.engine.rules), self._gathers.problems)

    def stats(self) -> dict[str, float]:
        view = self._collection.view
        return {
            "alerts": sum(alert.state == "firing" for alert in view.alerts),
            "insights": len(view.insights),
            "processes": view.processes,
            "faults": self._surviving.faults,
            **self._judging.alerting.stats(),
        }
