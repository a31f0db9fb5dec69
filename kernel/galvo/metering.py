"""A plugin's counters as metrics: what has come since the last time, told every few seconds and never on a hot path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from math import isclose

import anyio

from galvo.events import Metric

INTERVAL = 5.0
"""Seconds."""
running: ContextVar[set[Metering]] = ContextVar("galvo_metering")
"""Those of the plugin in whose lifespan this task runs: before a listener leaves, it is told what has come so far."""


class Metering:
    """Tells monitors what `Plugin.stats` counts, from a task of the plugin's lifespan."""

    def __init__(
        self,
        record: Callable[[Metric, float], None],
        stats: Callable[[], Mapping[str, float]],
        counters: Mapping[str, Metric],
        gauges: Mapping[str, Metric],
        groups: Mapping[str, Callable[[str], Metric]] | None = None,
    ) -> None:
        """`counters` and `gauges`: by their names in `stats`. `groups`: counters whose names are one of these, `_` and
        what sets one apart from the others of its group, which makes a metric; of several groups the longest.
        """
        self._record = record
        self._stats = stats
        self._counters: dict[str, Metric | None] = {**counters}
        self._gauges = gauges
        self._groups = groups or {}
        self._told: dict[str, float] = {}

    @staticmethod
    def by(attribute: str, name: str, unit: str) -> Callable[[str], Metric]:
        """For `groups`: makes a counter for each value of an attribute."""
        return lambda value: Metric(name, unit=unit, attributes=((attribute, value),))

    async def run(self) -> None:
        """Record every five seconds, and the rest when it is cancelled; also before a plugin that listens stops."""
        mine = running.get(set())
        mine.add(self)
        try:
            while True:
                await anyio.sleep(INTERVAL)
                self.record()
        except anyio.get_cancelled_exc_class():
            self.record()
            raise
        finally:
            mine.discard(self)

    def record(self) -> None:
        """Tell what has come since the last call."""
        now = self._stats()
        for name, value in now.items():
            counter = self._counter(name)
            new = _since(self._told.get(name, 0), value)
            if counter is not None and new > 0:
                self._record(counter, new)
        for name, gauge in self._gauges.items():
            if name in now:
                self._record(gauge, now[name])
        self._told.update(now)  # what is not there once is not told whole when it is back

    def _counter(self, name: str) -> Metric | None:
        if name not in self._counters:
            group = max((one for one in self._groups if name.startswith(f"{one}_")), key=len, default=None)
            self._counters[name] = None if group is None else self._groups[group](name.removeprefix(f"{group}_"))
        return self._counters[name]


def _since(before: float, now: float) -> float:
    """All of it when it has fallen, for then it has begun anew; sums in another order fall by their rounding."""
    return now - before if now >= before or isclose(now, before) else now
