"""The one loop of a process, made when it is first asked for; a fork begins without one."""

from __future__ import annotations

import os
import threading

from galvo_tasks.running.loop import LoopThread


class _Process:
    """What this process has of its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: LoopThread | None = None


_process = _Process()


def loop_thread() -> LoopThread:
    """Started."""
    if (thread := _process.thread) is not None:
        return thread
    with _process.lock:
        if _process.thread is None:
            made = LoopThread("galvo-tasks")
            made.start()
            _process.thread = made
        return _process.thread


def running_thread() -> LoopThread | None:
    """The same, if somebody has asked for it before."""
    return _process.thread


def stop() -> None:
    """End it; what still runs on it is cancelled. Whoever asks later gets a new one."""
    with _process.lock:
        thread, _process.thread = _process.thread, None
    if thread is not None:
        thread.stop()


# A thread does not live on in a child, and a lock may be held there by one that does not.
os.register_at_fork(after_in_child=lambda: _process.__init__())  # type: ignore[misc]
