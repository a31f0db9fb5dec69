"""A coroutine on a loop, as the thread that waits for it sees it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded

from galvo_tasks.running.errors import CancelledFromWithin
from galvo_tasks.running.limits import GRACE, Limits

T = TypeVar("T")


class Flight(Generic[T]):
    """Begun by making it, in a copy of the calling thread's context."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> None:
        self._loop = loop
        self._work = work
        self._done = threading.Event()
        self._task: asyncio.Task[T]
        self._asked = False
        try:
            loop.call_soon_threadsafe(self._begin)
        except RuntimeError:  # it is closed
            work.close()
            raise

    def cancel(self) -> None:
        """CancelledError inside; whoever waits gets it once the coroutine has cleaned up. From any thread."""
        self._asked = True
        self._interrupt("it was cancelled")

    def wait(self, limits: Limits) -> T:
        """Its outcome; waits in this thread.

        Raises SoftTimeLimitExceeded and TimeLimitExceeded when it took too long, CancelledError after `cancel`,
        and what the coroutine raises. In each case it has ended before, unless its clean-up takes longer than
        `GRACE` seconds. One that does not let itself be ended at `soft` has until `hard`.
        """
        try:
            if self._done.wait(limits.first):
                return self._outcome()
            return self._ended(limits)
        except BaseException:  # the process is told to end
            if not self._done.is_set():
                self._interrupt("its worker ends")
                self._done.wait(GRACE)
            raise

    def _ended(self, limits: Limits) -> T:
        if limits.soft is not None:
            self._interrupt(f"its soft time limit of {limits.soft:g} s is over")
            if self._done.wait(limits.between):
                try:
                    return self._outcome()
                except (CancelledFromWithin, asyncio.CancelledError):
                    raise SoftTimeLimitExceeded(limits.soft) from None
        self._interrupt(f"its time limit of {limits.hard:g} s is over")
        self._done.wait(GRACE)
        raise TimeLimitExceeded(limits.hard)

    def _outcome(self) -> T:
        try:
            return self._task.result()
        except asyncio.CancelledError as error:
            if self._asked:
                raise
            raise CancelledFromWithin(f"it was cancelled from within{f': {error}' if error.args else ''}") from error

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(lambda _: self._done.set())

    def _interrupt(self, why: str) -> None:
        # The loop has called `_begin` before it calls this.
        self._loop.call_soon_threadsafe(lambda: self._task.cancel(why))
