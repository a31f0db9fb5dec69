"""One collection: gather, read, keep, judge, show."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar, TypeVarTuple

import anyio
from anyio.to_thread import run_sync

from galvo_local import Surviving
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.collecting.gathers import Gather
from galvo_monitor.collecting.judging import Judging
from galvo_monitor.collecting.reading import values_of
from galvo_monitor.collecting.schedule import Schedule
from galvo_monitor.panels import Builder, Kept
from galvo_monitor.panels.build import Charts
from galvo_monitor.series import Series, Values
from galvo_monitor.store import Store
from galvo_monitor.store.merged import Merged
from galvo_monitor.store.rollups import RollUps
from galvo_monitor.view import Alert, Insight, Status, View

Given = TypeVarTuple("Given")
Made = TypeVar("Made")
PATIENCE = 10.0
"""Seconds that gathering may take; what has not come by then is gathered next time."""


class Collection:
    def __init__(
        self,
        registry: Registry,
        store: Store,
        keep: Kept,
        builder: Builder,
        judging: Judging,
        schedule: Schedule,
        surviving: Surviving,
        *,
        gathers: Mapping[str, Gather],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`gathers` record what nobody else does."""
        self._registry = registry
        self.store = store
        self._keep = keep
        self._builder = builder
        self._judging = judging
        self._schedule = schedule
        self._surviving = surviving
        self._gathers = gathers
        self.merge: Callable[[Snapshot], Awaitable[Merged]] | None = None
        """Adds the numbers of other processes."""
        self.history: RollUps | None = None
        """Keeps some of it in the database."""
        self._clock = clock
        self._kept: Snapshot | None = None
        """This process's own, of the last collection."""
        self._glanced: Snapshot | None = None
        self._one = anyio.CapacityLimiter(1)  # the application may have all its threads at work
        self._changed = anyio.Event()
        self._started = clock()
        self.view = View(self._started, self._started, os.getpid(), "Nothing has been measured yet.", "ok", [], [], [])

    def inherit(self, older: Collection) -> None:
        """Go on after the last interval of the instance before a reload that counted in the same registry."""
        self._kept, self._glanced = older._kept, older._glanced

    async def run(self) -> None:
        """Never ends."""
        await self._remember(write=False)
        while True:
            full = await self._schedule.next()
            with self._surviving.part("collecting"):
                await (self.collect() if full else self.glance())

    async def wait(self, after: float) -> View:
        """The next view that was made later than `after` (seconds since the epoch). It is made more often meanwhile,
        but while processes share their numbers: rates of unequal times do not add up."""
        self._schedule.watched()
        while self.view.at <= after:
            await self._changed.wait()
        return self.view

    async def collect(self) -> None:
        """Keep what came since the last time."""
        await self._gather()
        own = await self._apart(self._registry.read, self._clock())
        merged = Merged(own, self._kept) if self.merge is None else await self.merge(own)
        self._kept = self._glanced = own
        snapshot = merged.now
        values, charts = await self._apart(self._counted_out, snapshot, merged.before, self.store.known)
        self.store.append(snapshot.at, values)
        alerts, insights, status, verdict = self.view.alerts, self.view.insights, self.view.status, self.view.verdict
        problems = [merged.problem, self.history.problem if self.history else None, self.store.problem]
        with self._surviving.part("judging"):
            alerts, insights, status, verdict = await self._judging.judge(snapshot.at, self.store, problems)
        self._show(snapshot.at, charts, alerts, insights, status, verdict, merged.processes)
        await self._remember(write=True)

    async def glance(self) -> None:
        """Show the numbers of the last seconds, and keep nothing. Those of several processes come all at once."""
        if self.merge is not None:
            return
        before, snapshot = self._glanced, await self._apart(self._registry.read, self._clock())
        self._glanced = snapshot
        _, charts = await self._apart(self._counted_out, snapshot, before, self.store.known)
        view = self.view
        self._show(snapshot.at, charts, view.alerts, view.insights, view.status, view.verdict, view.processes)

    async def _remember(self, *, write: bool) -> None:
        """A database that hangs keeps nobody from collecting for long."""
        if (history := self.history) is None:
            return
        with self._surviving.part("keeping history"), anyio.move_on_after(PATIENCE):
            await (history.write if write else history.start)(self._clock())

    async def _apart(self, work: Callable[[*Given], Made], *given: *Given) -> Made:
        """Ten thousand series take half a second, in which the application's loop has other things to do."""
        return await run_sync(work, *given, limiter=self._one)

    def _counted_out(self, now: Snapshot, before: Snapshot | None, known: list[Series]) -> tuple[Values, Charts]:
        values = values_of(self._keep, now, before)
        return values, self._builder.charts(values, known)

    async def _gather(self) -> None:
        async with anyio.create_task_group() as tasks:
            for name, gather in self._gathers.items():
                tasks.start_soon(self._gathered, name, gather)

    async def _gathered(self, name: str, gather: Gather) -> None:
        with self._surviving.part(name), anyio.fail_after(PATIENCE):
            await gather()

    def _show(
        self,
        at: float,
        charts: Charts,
        alerts: list[Alert],
        insights: list[Insight],
        status: Status,
        verdict: str,
        processes: int,
    ) -> None:
        panels = self._builder.with_tables(charts)
        self.view = View(at, self._started, os.getpid(), verdict, status, alerts, insights, panels, processes)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
