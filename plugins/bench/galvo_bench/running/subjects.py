"""What can be measured: subjects in groups. One is imported when it is chosen, so that none needs another's peers."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module

import msgspec

from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand

Measure = Callable[[Stand], Awaitable[list[Section]]]


class Subject(msgspec.Struct, frozen=True):
    name: str
    group: str
    target: str
    """`module:function` below galvo_bench."""
    disk: int = 100
    """MB that it writes at most, servers included."""
    share: float = 1.0
    """Of the run's rounds: less for what takes long."""

    def measure(self) -> Measure:
        function = self._found()

        async def measured(stand: Stand) -> list[Section]:
            with stand.scaled(self.share):
                return await function(stand)

        return measured

    def about(self) -> str:
        """What it measures, in a line: its function's docstring, or that of a module which measures one thing."""
        function = self._found()
        told = function.__doc__ if ":" in self.target else sys.modules[function.__module__].__doc__
        return (told or "").strip().partition("\n")[0].rstrip(".")

    def _found(self) -> Measure:
        module, _, function = self.target.partition(":")
        found: Measure = getattr(import_module(f"galvo_bench.{module}"), function or "measure")
        return found


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject("hit", "kernel", "kernel.hot_path:hit"),
        Subject("uncached", "kernel", "kernel.hot_path:uncached"),
        Subject("chain", "kernel", "kernel.chain", share=0.6),
        Subject("start", "kernel", "kernel.starting", share=0.6),
        Subject("l2", "cache", "cache.l2"),
        Subject("codec", "cache", "cache.codec"),
        Subject("invalidation", "cache", "cache.invalidation"),
        Subject("operations", "cache", "cache.operations"),
        Subject("stampede", "cache", "cache.stampede"),
        Subject("reliability", "cache", "cache.reliability"),
        Subject("connections", "pool", "pool.connections"),
        Subject("sizing", "pool", "pool.sizing", share=0.2),
        Subject("crud", "pool", "pool.crud"),
        Subject("watching", "index", "index.watching"),
        Subject("advice", "index", "index.advised", disk=400),
        Subject("n_plus_one", "index", "index.n_plus_one"),
        Subject("recording", "monitor", "monitor.recording"),
        Subject("monitoring", "monitor", "monitor.monitoring", share=0.4),
        Subject("export", "monitor", "monitor.exporting"),
        Subject("resting", "memory", "memory.resting"),
        Subject("images", "memory", "memory.images", disk=300, share=0.6),
        Subject("chunks", "memory", "memory.chunks", disk=1_000),
        Subject("buffers", "memory", "memory.buffers"),
        Subject("allocation", "memory", "memory.allocation"),
        Subject("priorities", "tasks", "tasks.priorities"),
        Subject("broker", "tasks", "tasks.broker"),
        Subject("worker", "tasks", "tasks.worker"),
        Subject("publishing", "tasks", "tasks.publishing"),
        Subject("shop", "app", "app.measure", disk=500),
        Subject("users", "app", "app.users", disk=500),
        Subject("asked", "app", "counts.run:measure", disk=200),
        Subject("eviction", "cache", "cache.eviction"),  # last: theine starts a thread
    )
}
GROUPS = ("kernel", "cache", "pool", "index", "memory", "monitor", "tasks", "app")


def chosen(names: Iterable[str]) -> list[Subject]:
    """Those of the named groups and subjects, in our order; all when none is named. Raises ValueError."""
    wanted = list(names)
    for name in wanted:
        if name not in GROUPS and name not in SUBJECTS:
            groups, subjects = ", ".join(GROUPS), ", ".join(SUBJECTS)
            raise ValueError(f"there is no {name!r}; groups: {groups}; subjects: {subjects}")
    return [subject for subject in SUBJECTS.values() if not wanted or subject.name in wanted or subject.group in wanted]
