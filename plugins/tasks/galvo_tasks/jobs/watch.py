"""The thread of a worker process that tells progress, and is told whom to cancel."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from billiard import current_process
from celery import Celery

from galvo_tasks.jobs import layout
from galvo_tasks.jobs.address import results_url
from galvo_tasks.jobs.errors import JobProblem
from galvo_tasks.jobs.ledger import ledger_of
from galvo_tasks.jobs.results import Results
from galvo_tasks.jobs.running import Run
from galvo_tasks.jobs.state import State
from galvo_tasks.running import coroutines
from galvo_tasks.running.loop import LoopThread

EVERY = 0.1
"""Seconds between two tellings of one job's progress."""
LOOK = 5.0
"""Seconds after which one looks who is to be cancelled without having been told."""
LOG = logging.getLogger("galvo.tasks")


class Watch:
    """Of all jobs that run in this process. Ends with it, unless it is stopped."""

    def __init__(self, app: Celery[Any]) -> None:
        self._app = app
        self._runs: dict[str, tuple[Run, float]] = {}
        self._leaving = threading.Lock()
        """Held while a run leaves, and while its process is ended: then no other task has begun in it."""
        self._results = Results(app, results_url(app), "galvo-running")
        self._loop = LoopThread("galvo-jobs")
        self._ready = threading.Event()
        self._loop.start()
        self._loop.submit(self._open())
        self._ready.wait()

    @contextmanager
    def running(self, id: str, grace: float) -> Iterator[Run]:
        """While the block runs, it can be cancelled, and its process is ended `grace` seconds later if it goes on."""
        run = Run(id, self._report)
        self._runs[id] = run, grace
        try:
            yield run
        finally:
            with self._leaving:
                self._runs.pop(id, None)

    def stop(self) -> None:
        self._loop.stop()

    async def _open(self) -> None:
        try:
            async with self._results.ear.listening(layout.cancels(self._results.app), self._heard):
                self._ready.set()
                while True:
                    await asyncio.sleep(LOOK)
                    await self._look()
        finally:
            self._ready.set()
            await self._results.close()

    def _report(self, run: Run) -> None:
        self._loop.submit(self._tell(run))

    def _heard(self, message: bytes) -> None:
        if message:
            self._cancel(message.decode(errors="replace"))

    async def _look(self) -> None:
        for id in [*self._runs]:
            with suppress(JobProblem):
                if (await self._results.read(id, layout.FIELD, "cancel"))[0]:
                    self._cancel(id)

    async def _tell(self, run: Run) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(run.due - loop.time())
        run.told, run.due = True, loop.time() + EVERY
        if run.latest is None or run.id not in self._runs:
            return
        with suppress(JobProblem):
            if await self._results.report(run.id, *run.latest):
                self._cancel(run.id)

    def _cancel(self, id: str) -> None:
        run, grace = self._runs.get(id, (None, 0.0))
        if run is not None and not run.cancelled:
            run.cancelled = True
            coroutines.cancel(id)
            if current_process().name != "MainProcess":  # threads share it with others
                asyncio.get_running_loop().call_later(grace, self._end, run)

    def _end(self, run: Run) -> None:
        with self._leaving:
            if self._runs.get(run.id, (None,))[0] is not run:
                return
            with suppress(JobProblem):
                state = ledger_of(self._app).leave(run.id, State.CANCELLED, **run.fields())
                if state is not State.CANCELLED:  # it has just ended by itself
                    return
            LOG.warning("job %s goes on although it was cancelled: its process is ended", run.id)
            os.kill(os.getpid(), signal.SIGKILL)


_WATCHES: dict[str, Watch] = {}
_LOCK = threading.Lock()


def watch_of(app: Celery[Any]) -> Watch:
    """The one of this process. Raises JobProblem without a Redis."""
    name = f"{app.main} {results_url(app)}"
    with _LOCK:
        if name not in _WATCHES:
            _WATCHES[name] = Watch(app)
        return _WATCHES[name]


def _forked() -> None:
    global _LOCK
    _LOCK = threading.Lock()
    _WATCHES.clear()


os.register_at_fork(after_in_child=_forked)
