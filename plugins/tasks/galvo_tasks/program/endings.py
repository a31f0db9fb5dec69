"""How a worker ends: the first signal lets what runs finish, the second ends it, the third does not wait at all."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import Any

from celery import signals
from celery.concurrency.thread import TaskPool as ThreadPool
from celery.worker import state

from galvo_tasks.program.shown import say

ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AT_ONCE = signal.SIGQUIT
"""Ends what runs from the start."""
DONE, CUT_SHORT = 0, 1
"""Exit codes."""


class Endings:
    """Of one Celery worker, which runs in this thread."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._step = 0
        self.woken, self._wakes = socket.socketpair()
        """Readable once a signal has come: Python goes on waiting after its handler (PEP 475)."""
        self.woken.setblocking(False)
        self._wakes.setblocking(False)

    def install(self) -> None:
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for number in (*ASKED, AT_ONCE):
            signal.signal(number, self._end)
        faulthandler.register(signal.SIGUSR1)  # says where each thread is

    def drain(self) -> None:
        with suppress(BlockingIOError):
            self.woken.recv(64)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._step += 1
        if self._step == 1 and number != AT_ONCE:
            say("ends: waits for the tasks that run; once more ends them")
            self._tell(number, "Warm", DONE)
            state.should_stop = DONE  # type: ignore[assignment]  # the stubs know None only
        elif self._step <= 2:
            self._step = 2
            say("ends the tasks that run")
            self._tell(number, "Cold", CUT_SHORT)
            state.should_terminate = CUT_SHORT  # type: ignore[assignment]
            self._cancel()
        else:
            os._exit(CUT_SHORT)  # its children are killed with it (PR_SET_PDEATHSIG)

    def _cancel(self) -> None:
        """What runs, without an acknowledgement; a warm end that waits for it goes on then."""
        if isinstance(self._worker.pool, ThreadPool):
            os._exit(CUT_SHORT)  # a thread cannot be ended
        self._worker.exitcode = CUT_SHORT
        consumer = getattr(self._worker, "consumer", None)
        if consumer is not None:
            consumer.cancel_active_requests()

    def _tell(self, number: int, how: str, code: int) -> None:
        signals.worker_shutting_down.send(
            sender=self._worker.hostname, sig=signal.Signals(number).name, how=how, exitcode=code
        )
