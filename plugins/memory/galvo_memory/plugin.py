"""Watches memory, and asks everybody to free some when it gets short."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import anyio

from galvo import Context, Finding, Freed, Level, MemoryPressure, Plugin, hookimpl
from galvo.sizes import show
from galvo_local import Answering, Surviving
from galvo_memory import budgets, pools
from galvo_memory.asking.answering import Answers
from galvo_memory.asking.protocol import NAME
from galvo_memory.asking.state import State
from galvo_memory.asking.telling import state_of
from galvo_memory.errors import BudgetAboveLimit, LimitBelowUse
from galvo_memory.relief import Collector, Relief
from galvo_memory.settings import MemorySettings
from galvo_memory.signals import Levels, Paths, Sample, Sampler
from galvo_memory.watching.checkup import checkup
from galvo_memory.watching.leaks import Leaks
from galvo_memory.watching.relieving import Relieving
from galvo_memory.watching.watcher import Watcher

SHARE_FREED = {Level.ELEVATED: 0.25, Level.HIGH: 0.5, Level.CRITICAL: 1.0}
"""Of what the pools hold in reserve."""
SHARE_ADMITTED = {Level.HIGH: 0.5, Level.CRITICAL: 0.25}
"""Of the budget, may be out."""


class MemoryPlugin(Plugin):
    """Memory: pressure events, leak verdicts, budgets, chunks, images, pools."""

    name = "memory"
    api = ">=1.2,<2"
    provides = ("memory",)
    settings_type = MemorySettings
    paths = Paths()

    def __init__(self, settings: MemorySettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._surviving = surviving = Surviving(context.log)
        self._sampler = Sampler(self.paths, limit=settings.limit_bytes)
        self._relief = Relief(context.relieve, self._sampler.rss, context.log, collect=self._collect)
        self._relieving = Relieving(context, self._relief, surviving)
        self._watcher = Watcher(
            context,
            self._sampler,
            Levels(settings.levels, settings.waiting, gap=settings.gap, dwell=settings.dwell),
            self._relieving,
            Leaks(context.log, self._sampler.rss, surviving, interval=settings.interval, trace=settings.trace),
            Collector(context.log),
            surviving,
            admit=self._admit,
            again=settings.again,
        )
        self._budget = budgets.process.total
        """Bytes, at a normal level."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self._size(self._sampler.sample())
        older = self.context.capability(self.name)
        if isinstance(older, MemoryPlugin) and older is not self:
            self._watcher.inherit(older._watcher)
            self._relief.level = older._relief.level
        del older  # this frame lives as long as this instance: the older one would, too
        collector = self._watcher.collector
        if not self._settings.tune_gc:
            collector.stop()
        elif collector.state == "off":
            collector.start()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._relieving.run)
                tasks.start_soon(self._watcher.leaks.run)
                if self._settings.answer:
                    answers = Answers(self.state, self._watcher.leaks)
                    answering = Answering(NAME, answers.answer, self._surviving.part)
                    tasks.start_soon(answering.run)
                    await answering.ready.wait()
                tasks.start_soon(self._watcher.run, self._settings.interval)
                yield
                tasks.cancel_scope.cancel()
        finally:
            if self.context.capability(self.name) in (self, None):  # else another instance goes on
                collector.stop()
                self._admit(Level.NORMAL)
                if self._relief.level is not Level.NORMAL:
                    await self._relief.relieve(Level.NORMAL)  # nobody would tell the others that it is over
            self._sampler.close()

    def settled(self) -> None:
        self._admit(self._watcher.levels.level)

    def _size(self, sample: Sample) -> None:
        """The budget, from the limit. Raises LimitBelowUse and BudgetAboveLimit."""
        limit, budget = self._settings.limit_bytes, self._settings.budget_bytes
        if limit is not None and limit < sample.rss:
            raise LimitBelowUse(
                f"limit = {show(limit)} under [memory] is less than the {show(sample.rss)} that this process has "
                "already: raise it well above that"
            )
        if budget is not None and sample.limit is not None and budget > sample.limit:
            raise BudgetAboveLimit(
                f"budget = {show(budget)} under [memory] is more than the {show(sample.limit)} that this process may "
                f"use in all ({sample.bound}): lower it"
            )
        self._budget = budget or (sample.limit or 0) // 2 or self._budget

    def _collect(self, generation: int) -> int:
        return self._watcher.collector.collect(generation)

    def _admit(self, level: Level) -> None:
        budgets.process.resize(self._budget, SHARE_ADMITTED.get(level, 1.0))

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        self._admit(pressure.level)
        share = SHARE_FREED.get(pressure.level)
        return None if share is None else pools.registry.free(share)

    # -- the capability `memory` ----------------------------------------------------------------------

    def state(self) -> State:
        """What `galvo memory` shows."""
        return state_of(self.context, self._watcher, self._relieving, self._sampler.problems)

    async def checkup(self) -> Sequence[Finding]:
        return checkup(self._watcher.fresh(), self._sampler.problems)

    def stats(self) -> dict[str, float]:
        sample = self._watcher.last
        return {
            "rss": sample.rss if sample else 0,
            "limit": sample.tight.limit if sample else 0,
            "used": sample.tight.used if sample else 0,
            "level": float(self._watcher.levels.level),
            "level_seconds": monotonic() - self._watcher.since,
            "leak": float(self._watcher.leaks.verdict.kind != "none"),
            "faults": self._surviving.faults,
            **self._relief.stats(),
            **self._watcher.collector.stats(),
        }
