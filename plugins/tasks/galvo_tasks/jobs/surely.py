"""Telling Redis how a job ended, in a process that is killed at its task's time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic, sleep
from typing import Any

from galvo_tasks.jobs.errors import ResultsAway
from galvo_tasks.jobs.state import State
from galvo_tasks.running.limits import GRACE, limits_of

PATIENCE = 30.0
"""Seconds to keep a result that Redis does not take: a restart of it is over by then."""
PAUSE = 0.5
MARGIN = 1.0
"""Seconds before a time limit at which the process lets go of it."""
LEAST = 0.2
"""Seconds that telling may take in any case."""


class Surely:
    """Of a task that begins now."""

    def __init__(self, task: Any) -> None:
        hard, soft = limits_of(task, task.request.timelimit)
        self._begun = monotonic()
        self._slowest = 2 * task.app.galvo.deadline
        """Seconds that a connection may take, with the ledger's one retry."""
        if getattr(task, "is_coroutine", False):  # then the pool kills later: see running.limits
            hard, soft = (limit and limit + GRACE for limit in (hard, soft))
        self._limits = sorted(limit for limit in (hard, soft) if limit is not None)

    @property
    def left(self) -> float:
        """Seconds that telling may take."""
        spent = monotonic() - self._begun
        return min([PATIENCE, *(max(0.0, limit - spent - MARGIN) for limit in self._limits if limit > spent)])

    def __call__(self, tell: Callable[[], State]) -> State:
        """Again and again while Redis is away, for as long as there is time. Raises ResultsAway."""
        end = monotonic() + self.left
        while True:
            try:
                left = max(LEAST, end - monotonic())
                return tell() if left > self._slowest else _within(tell, left)
            except ResultsAway:
                if monotonic() + PAUSE > end:
                    raise
                sleep(PAUSE)


def _within(tell: Callable[[], State], seconds: float) -> State:
    """In a thread: who is killed at a time limit does not wait for the deadline of a connection."""
    outcome: Future[State] = Future()

    def run() -> None:
        try:
            outcome.set_result(tell())
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, name="galvo-told", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as error:
        if not outcome.done():
            raise ResultsAway(error) from None
        raise
