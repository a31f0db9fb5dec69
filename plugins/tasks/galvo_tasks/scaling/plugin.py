"""What scaling adds to the kernel of a worker's main process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import anyio
import msgspec

from galvo import Context, Freed, MemoryPressure, Metric, Plugin, hookimpl
from galvo_local import Answering, Surviving
from galvo_tasks.config.server import named
from galvo_tasks.metering.depth import tell_depth
from galvo_tasks.scaling.crew import Crew
from galvo_tasks.scaling.forks import Standstill
from galvo_tasks.scaling.protocol import NAME, QUESTION, WorkerState
from galvo_tasks.scaling.watch import Watch

CONCURRENCY = 15.0
"""Seconds between two values of galvo.tasks.concurrency."""


class Scaling(Plugin):
    """Follows memory, tells of the queues, answers `galvo tasks status`."""

    name = "tasks"
    after = ("memory",)

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self._crew: Crew = context.capability("crew")
        self._standstill: Standstill = context.capability("standstill")
        self._surviving = Surviving(context.log)
        self._began = monotonic()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        watch = Watch(self._crew, self.context.capability("memory"), self.context.log)
        answering = Answering(NAME, self._answer, self._surviving.part)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answering.run)
            tasks.start_soon(watch.run, self._surviving)
            tasks.start_soon(tell_depth, self._crew.app, self._crew.queues, self.context.record, self._surviving)
            tasks.start_soon(self._tell)
            yield
            tasks.cancel_scope.cancel()

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        self._crew.ceiling.pressed(pressure.level, self._crew.size)
        return None

    async def _tell(self) -> None:
        metrics = [
            Metric("galvo.tasks.concurrency", "gauge", "{task}", (("class", name),)) for name in self._crew.runtimes
        ]
        while True:
            for metric in metrics:
                self.context.record(metric, self._crew.ceiling.now)
            await anyio.sleep(CONCURRENCY)

    async def _answer(self, asked: bytes) -> bytes | None:
        return msgspec.json.encode(self.state()) if asked == QUESTION else None

    def state(self) -> WorkerState:
        crew = self._crew
        return WorkerState(
            pid=0,
            app=str(crew.app.main),
            broker=named(str(crew.app.conf.broker_url)),
            classes=list(crew.runtimes),
            pool="processes" if crew.processes else "threads",
            size=crew.size,
            running=crew.running,
            concurrency=crew.ceiling.now,
            why=crew.ceiling.why,
            up=monotonic() - self._began,
            forks=self._standstill.forks,
            late=self._standstill.late,
        )
