"""The thread of a worker's main process that tells how jobs ended: the process itself never waits for their Redis."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from celery import Celery

from galvo_tasks.jobs import layout
from galvo_tasks.jobs.errors import ResultsAway
from galvo_tasks.jobs.ledger import Ledger

PAUSE = 0.5
"""Seconds between two attempts while Redis is away."""
MOST = 10_000
"""Jobs of which something is to be told, at most."""
ASKED = 1.0
"""Seconds that the main process waits for an answer, at most."""
AT_THE_END = 5.0
"""Seconds that an ending worker waits until all is told."""
LOG = logging.getLogger("galvo.tasks")

Act = Callable[[Ledger], Any]


class Teller:
    """Of one application. Each thing is told once Redis takes it, however long that takes."""

    def __init__(self, app: Celery[Any]) -> None:
        self._app = app
        self._ledger: Ledger | None = None
        """Its own: a fork finds no lock of it held, since a child does not use it."""
        self._waiting: deque[tuple[str, Act, Future[Any] | None]] = deque()
        self._changed = threading.Condition()
        self._away = False
        self._thread: threading.Thread | None = None

    def tell(self, id: str, act: Act) -> None:
        self._add(id, act, None)

    def ask(self, id: str, act: Act) -> Any:
        """What it gives; None while Redis is away."""
        if self._away:
            return None
        answer: Future[Any] = Future()
        self._add(id, act, answer)
        try:
            return answer.result(ASKED)
        except Exception as error:  # noqa: BLE001  # it is not known, whatever the reason
            LOG.warning("job %s: %s", id, str(error) or "the Redis for progress and results does not answer")
            return None

    def wait(self, seconds: float) -> int:
        """Until all is told, for so long at most. Gives how many are not."""
        end = monotonic() + seconds
        with self._changed:
            while self._waiting and (left := end - monotonic()) > 0:
                self._changed.wait(left)
            return len(self._waiting)

    def _add(self, id: str, act: Act, answer: Future[Any] | None) -> None:
        with self._changed:
            if len(self._waiting) >= MOST:
                LOG.error("job %s: whoever waits is not told how it ended: %d others are not, too", id, MOST)
                return
            self._waiting.append((id, act, answer))
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="galvo-telling", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                one = self._waiting[0]
            over = self._told(*one)
            with self._changed:
                self._waiting.popleft()
                if not over:
                    self._waiting.append(one)
                self._changed.notify_all()
            if not over:
                threading.Event().wait(PAUSE)

    def _told(self, id: str, act: Act, answer: Future[Any] | None) -> bool:
        """Whether it is over: told, or never to be."""
        try:
            self._ledger = self._ledger or Ledger(self._app)
            given = act(self._ledger)
        except ResultsAway as error:
            if answer is None and not any(word in str(error) for word in layout.FOREIGN):
                if not self._away:
                    LOG.warning("job %s: %s; whoever waits is told later how it ended", id, error)
                self._away = True
                return False
            failed: Exception = error
        except Exception as error:  # noqa: BLE001  # the thread is for all jobs
            failed = error
        else:
            self._away = False
            if answer is not None:
                answer.set_result(given)
            return True
        if answer is None:
            LOG.warning("job %s: %s", id, failed)
        else:
            answer.set_exception(failed)
        return True


_TELLERS: WeakKeyDictionary[Celery[Any], Teller] = WeakKeyDictionary()


def teller_of(app: Celery[Any]) -> Teller:
    """The one of this process; the worker's main thread asks."""
    if app not in _TELLERS:
        _TELLERS[app] = Teller(app)
    return _TELLERS[app]


def _end() -> None:
    for teller in _TELLERS.values():
        if left := teller.wait(AT_THE_END):
            LOG.error("of %d jobs nobody is told how they ended: the Redis for progress and results is away", left)


def _forked() -> None:
    global _TELLERS
    _TELLERS = WeakKeyDictionary()


atexit.register(_end)
os.register_at_fork(after_in_child=_forked)
