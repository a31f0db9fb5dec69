"""The task queue: how long its oldest task has waited, and whether its workers have any time left."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, duration, many, share

OLDEST, LEAST = "galvo.tasks.oldest", 10.0
"""Seconds."""
AT_ONCE, RUN = "galvo.tasks.concurrency", "galvo.tasks.run_time"
FULL = 0.9
"""Of what workers can run at once. Less says little: a task counts only when it has ended."""


class Queued:
    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two looks."""
        self._age = Unusual(interval=interval, least=LEAST)

    def look(self, reading: Reading) -> list[Clue]:
        """What waits for too long, and beside it what may explain it."""
        ages, at_once, busy = reading.each(OLDEST, "value"), reading.each(AT_ONCE, "value"), reading.total(RUN, "busy")
        series, age = max(ages.items(), key=lambda one: one[1], default=(None, None))
        if not self._age.look(age, reading.now) or age is None or series is None:
            return []
        told = dict(series.attributes)
        queue, priority = told.get("queue", ""), told.get("priority", "")
        clue = Clue(
            f"the oldest {priority and f'{priority} '}task{queue and f' of the queue {queue}'} has waited for "
            f"{duration(age)}, far longer than usual since {clock(self._age.since, reading.now)}",
            f"{OLDEST} {duration(age)}, usually {duration(self._age.usual)}",
            self._age.since,
            self._age.confidence,
            alone=True,
        )
        own = sum(value for one, value in at_once.items() if ("class", queue) in one.attributes)
        most = sum(at_once.values())
        if not own or busy is None or busy < FULL * most:
            return [clue]
        text = f"its workers run {many(own, 'task')} at once, and all workers are {share(min(1.0, busy / most))} busy"
        evidence = f"{RUN}: {busy:.2f} s of work a second, {AT_ONCE} {most:,.0f}"
        return [clue, Clue(text, evidence, reading.now - reading.interval, 0.9)]
