"""One collection: gather, read, keep, judge, show."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import anyio

from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.collecting.schedule import Schedule
from galvo.surviving import Surviving
from galvo_monitor.collecting.totals import with_totals
from galvo_monitor.panels import Builder
from galvo_monitor.series import Values
from galvo_monitor.store import Store
from galvo_monitor.view import Alert, Insight, Status, View

PATIENCE = 10.0
"""Seconds that gathering may take; what has not come by then is gathered next time."""
Gather = Callable[[], Awaitable[None]]


class Judgement(Protocol):
    async def judge(self, at: float, store: Store) -> tuple[list[Alert], list[Insight], Status, str]:
        """Alerts, insights, and the verdict in one word and in one sentence."""


class Collection:
    def __init__(
        self,
        registry: Registry,
        store: Store,
        builder: Builder,
        judgement: Judgement,
        schedule: Schedule,
        surviving: Surviving,
        *,
        gathers: Mapping[str, Gather],
        merge: Callable[[Snapshot], Awaitable[tuple[Snapshot, int]]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`gathers` record what nobody else does; `merge` adds other processes' numbers, and tells how many they are."""
        self._registry = registry
        self.store = store
        self._builder = builder
        self._judgement = judgement
        self._schedule = schedule
        self._surviving = surviving
        self._gathers = gathers
        self._merge = merge
        self._clock = clock
        self._kept: Snapshot | None = None
        self._glanced: Snapshot | None = None
        self._changed = anyio.Event()
        self._started = clock()
        self.view = View(self._started, self._started, os.getpid(), "Nothing has been measured yet.", "ok", [], [], [])

    async def run(self) -> None:
        """Never ends."""
        while True:
            full = await self._schedule.next()
            with self._surviving.part("collecting"):
                await (self.collect() if full else self.glance())

    async def wait(self, after: float) -> View:
        """The next view that was made later than `after` (seconds since the epoch). It is made more often meanwhile."""
        self._schedule.watched()
        while self.view.at <= after:
            await self._changed.wait()
        return self.view

    async def collect(self) -> None:
        """Keep what came since the last time."""
        await self._gather()
        snapshot, processes = await self._merge(self._registry.read(self._clock()))
        snapshot = with_totals(snapshot)
        values = snapshot.since(self._kept)
        self._kept = self._glanced = snapshot
        self.store.append(snapshot.at, values)
        alerts, insights, status, verdict = self.view.alerts, self.view.insights, self.view.status, self.view.verdict
        with self._surviving.part("judging"):
            alerts, insights, status, verdict = await self._judgement.judge(snapshot.at, self.store)
        self._show(snapshot.at, values, alerts, insights, status, verdict, processes)

    async def glance(self) -> None:
        """Show this process's numbers of the last seconds, and keep nothing."""
        snapshot = with_totals(self._registry.read(self._clock()))
        values = snapshot.since(self._glanced)
        self._glanced = snapshot
        view = self.view
        self._show(snapshot.at, values, view.alerts, view.insights, view.status, view.verdict, view.processes)

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
        values: Values,
        alerts: list[Alert],
        insights: list[Insight],
        status: Status,
        verdict: str,
        processes: int,
    ) -> None:
        panels = self._builder.panels(values)
        self.view = View(at, self._started, os.getpid(), verdict, status, alerts, insights, panels, processes)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
