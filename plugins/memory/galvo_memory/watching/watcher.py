"""The loop: a sample, metrics, the level, relief, the verdict."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import anyio
from anyio.lowlevel import checkpoint

from galvo import Context, Level
from galvo.sizes import show
from galvo_local import Surviving
from galvo_memory.errors import Unreadable
from galvo_memory.processes.idle import WORKERS
from galvo_memory.relief import Collector
from galvo_memory.signals import Levels, Sample, Sampler
from galvo_memory.watching.history import History
from galvo_memory.watching.leaks import Leaks
from galvo_memory.watching.metering import LEAK, record
from galvo_memory.watching.pace import REST, Pace
from galvo_memory.watching.relieving import Relieving


class Watcher:
    def __init__(
        self,
        context: Context,
        sampler: Sampler,
        levels: Levels,
        relieving: Relieving,
        leaks: Leaks,
        collector: Collector,
        surviving: Surviving,
        *,
        admit: Callable[[Level], None],
        again: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`admit` hears each level; `again`: seconds until relief is wanted once more while it is high or critical."""
        self._context = context
        self._sampler = sampler
        self._relieving = relieving
        self.collector = collector
        self._surviving = surviving
        self._admit = admit
        self._again = again
        self._clock = clock
        self._asked = float("-inf")
        """When relief was wanted last."""
        self._pace = Pace()
        self.levels = levels
        self.leaks = leaks
        self.history = History()
        self.last: Sample | None = None
        self.since = clock()
        """Of the level."""

    async def run(self, interval: float) -> None:
        """Never ends. Late after a pause of the whole process, it does not catch up."""
        due = self._clock()
        while True:
            with self._surviving.part("reading memory"):
                self.look()
            due = max(due + interval, self._clock())
            await checkpoint()
            while (left := due - self._clock()) > 0:
                pause = REST
                with self._surviving.part("reading memory"):
                    pause = self._peek()
                await anyio.sleep(min(left, pause))

    def look(self) -> None:
        """One turn. Its parts fail by themselves."""
        with self._surviving.part("stopping idle processes"):
            WORKERS.sweep()
        try:
            self.last = sample = self._sampler.sample()
        except Unreadable as error:
            self._surviving.tell(f"{error}: memory is not watched meanwhile")
            return
        for problem in self._sampler.problems:
            self._surviving.tell(problem)
        surviving = self._surviving
        with surviving.part("the level"):
            self._level(sample)
        with surviving.part("the history"):
            self.history.add(sample)
        with surviving.part("the verdict"):
            self.leaks.add(sample)
        with surviving.part("the garbage collector's tuning"):
            self.collector.look()
        with surviving.part("a metric"):
            record(self._context, sample, self.levels.level)
            self._context.record(LEAK, self.leaks.verdict.slope_bytes_per_hour)

    def _peek(self) -> float:
        """Look early if RSS has grown by what was left until the next level, or relief is due once more.

        Seconds until the next peek.
        """
        if self.last is None:
            return REST
        rss, now = self._sampler.rss(), self._clock()
        left = self.levels.left(self.last) - (rss - self.last.rss)
        short = self.levels.level >= Level.HIGH
        if left <= 0 or (short and now - self._asked >= self._again):
            self.last = self._sampler.sample()
            self._level(self.last)
            left = self.levels.left(self.last)
        pause = self._pace.pause(now, rss, left)
        return min(pause, self._again) if short else pause

    def fresh(self) -> Sample:
        """A sample that nothing follows from. Raises Unreadable."""
        return self._sampler.sample()

    def _level(self, sample: Sample) -> None:
        before = self.levels.level
        changed = self.levels.step(sample)
        if changed is not None:
            self.since = sample.at
            self._admit(changed)  # also a level that falls, of which no plugin is told
            tight = sample.tight
            self._context.log.log(
                30 if changed > Level.ELEVATED else 20,
                "memory is %s, was %s: %s of %s used (%s), %.1f %% of the time somebody waits for some",
                changed.name.lower(), before.name.lower(), show(tight.used), show(tight.limit), tight.name,
                sample.psi_some10,
            )  # fmt: skip
        elif self.levels.level < Level.HIGH or sample.at - self._asked < self._again or not self.levels.holds(sample):
            return
        self._asked = sample.at
        self._relieving.want(self.levels.level, self.levels.over(sample))

    def inherit(self, older: Watcher) -> None:
        """Go on from where the plugin's last instance was."""
        self.history, self.since, self.collector = older.history, older.since, older.collector
        self.levels.level = older.levels.level
        self.leaks.inherit(older.leaks)
