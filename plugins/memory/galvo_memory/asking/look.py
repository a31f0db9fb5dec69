"""One process, as far as it can be seen: by /proc, and by its own words where it answers."""

from __future__ import annotations

import time

import msgspec

from galvo_memory.asking.asking import NoAnswer, ask, said_by
from galvo_memory.asking.process import NoProcess, Process
from galvo_memory.asking.state import State
from galvo_memory.signals import Bound, Levels, Paths, Sample, Sampler

LOOKS, PAUSE = 6, 0.2
"""Samples of a process that does not tell its trend, and seconds between them."""
MOST = 500
"""Samples kept: of more, every other one is dropped."""


class Look(msgspec.Struct, frozen=True):
    process: Process
    rss: int
    bounds: list[Bound]
    waiting: float
    level: str
    trend: list[tuple[float, int]]
    """How long ago, and RSS then; oldest first."""
    state: State | None
    """None: it does not answer."""
    why: str
    """It does not."""
    problems: list[str]

    @property
    def tight(self) -> Bound | None:
        """Of which the largest share is used."""
        return self.bounds[-1] if self.bounds else None


class Looker:
    """At one process."""

    def __init__(self, pid: int) -> None:
        """Raises NoProcess."""
        self._pid = pid
        self._sampler = Sampler(Paths.of(pid))
        self._levels = Levels()
        self._samples: list[Sample] = []
        self._started = Process.of(pid).started

    def look(self, looks: int = 1) -> Look:
        """Takes its time for more than one of `looks`, when the process does not tell of itself.

        Raises NoProcess, also when another one has got its number meanwhile; Unreadable.
        """
        process = Process.of(self._pid)
        if process.started != self._started:
            raise NoProcess(f"process {self._pid} has ended")
        try:
            state = ask(self._pid)
        except NoAnswer as error:
            return self._by_proc(process, looks, str(error))
        problems = [*said_by(self._pid), *state.problems]
        return Look(process, state.rss, state.bounds, state.waiting, state.level, state.trend, state, "", problems)

    def _by_proc(self, process: Process, looks: int, why: str) -> Look:
        self._take()
        for _ in range(looks - 1):
            time.sleep(PAUSE)
            self._take()
        last = self._samples[-1]
        return Look(
            process, last.rss, last.bounds, last.psi_some10, self._levels.level.name.lower(),
            [(last.at - one.at, one.rss) for one in self._samples], None, why, self._sampler.problems,
        )  # fmt: skip

    def _take(self) -> None:
        sample = self._sampler.sample()
        self._levels.step(sample)
        self._samples.append(sample)
        if len(self._samples) > MOST:
            del self._samples[1::2]
