"""One process, as far as it can be seen: by /proc, and by its own words where it answers."""

from __future__ import annotations

import msgspec

from galvo_memory.asking.asking import NoAnswer, ask
from galvo_memory.asking.process import NoProcess, Process
from galvo_memory.asking.state import State
from galvo_memory.signals import Bound, Levels, Paths, Sampler


class Look(msgspec.Struct, frozen=True):
    process: Process
    rss: int
    bounds: list[Bound]
    waiting: float
    level: str
    state: State | None
    """None: it does not answer."""
    why: str
    """It does not."""
    problems: list[str]

    @property
    def tight(self) -> Bound:
        return self.bounds[-1]


class Looker:
    """Of one process; raises NoProcess once it has ended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._sampler = Sampler(Paths.of(pid))
        self._levels = Levels()
        self._started = Process.of(pid).started

    def look(self) -> Look:
        """Raises NoProcess and Unreadable."""
        process = Process.of(self._pid)
        if process.started != self._started:
            raise NoProcess(f"process {self._pid} has ended")
        try:
            state, why = ask(self._pid), ""
        except NoAnswer as error:
            state, why = None, str(error)
        if state is not None:
            return Look(process, state.rss, state.bounds, state.waiting, state.level, state, why, state.problems)
        sample = self._sampler.sample()
        self._levels.step(sample)
        bounds = [Bound(sample.bound, sample.limit, sample.used), *filter(None, [sample.fullest])]
        level = self._levels.level.name.lower()
        return Look(process, sample.rss, bounds, sample.psi_some10, level, None, why, self._sampler.problems)
