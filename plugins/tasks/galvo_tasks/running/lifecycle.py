"""When the loop and the kernel of a process begin and end: Celery's signals say it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import current_app
from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_ready, worker_shutdown

from galvo import GalvoError
from galvo_tasks.errors import TasksProblem
from galvo_tasks.running import process
from galvo_tasks.running.kernel import STOP, WorkerKernel, log, overrides
from galvo_tasks.settings import TasksSettings


class _Own:
    """What this process has of its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kernel: WorkerKernel | None = None


_own = _Own()
os.register_at_fork(after_in_child=lambda: _own.__init__())  # type: ignore[misc]


def worker_kernel() -> WorkerKernel:
    """The kernel of this process, for tasks; it starts when it is first asked, unless it has before.

    Raises TasksProblem when there is to be none.
    """
    if (kernel := _own.kernel) is not None:
        return kernel
    settings = _settings()
    if settings is None or not settings.kernel:
        raise TasksProblem("worker processes have no kernel: set kernel = true under [tasks]")
    with _own.lock:
        if _own.kernel is None:
            _own.kernel = WorkerKernel(process.loop_thread().loop, settings.without)
        return _own.kernel


def begin_kernel() -> None:
    """Start it in the background, if there is to be one."""
    settings = _settings()
    if settings is not None and settings.kernel:
        process.loop_thread().loop.call_soon_threadsafe(worker_kernel().begin)


def end_process() -> None:
    """Stop the kernel and the loop, if they have begun."""
    with _own.lock:
        kernel, _own.kernel = _own.kernel, None
    thread = process.running_thread()
    if thread is not None and kernel is not None:
        try:
            thread.call(kernel.stop(), STOP + 1)
        except TimeoutError:
            log.warning("the kernel of this worker process did not stop within %g s", STOP)
    process.stop()


@worker_init.connect
def _main_begins(**_: Any) -> None:
    """Import what the kernels need before the fork: then the children share it."""
    settings = _settings()
    if settings is not None and settings.kernel:
        with suppress(GalvoError):  # each child says what is wrong
            overrides(Path(), settings.without)


@worker_process_init.connect
def _child_begins(**_: Any) -> None:
    begin_kernel()


@worker_process_shutdown.connect
def _child_ends(**_: Any) -> None:
    end_process()


@worker_ready.connect
def _main_is_ready(sender: Any, **_: Any) -> None:
    if not sender.pool.uses_semaphore:  # it runs the tasks itself, in threads
        begin_kernel()


@worker_shutdown.connect
def _main_ends(**_: Any) -> None:
    end_process()


def _settings() -> TasksSettings | None:
    found = getattr(current_app, "galvo", None)
    return found if isinstance(found, TasksSettings) else None
