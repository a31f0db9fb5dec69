"""What a process holds beside memory: tasks, threads, files, children, handlers. What is more afterwards was left."""

from __future__ import annotations

import asyncio
import atexit
import gc
import logging
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

POOLED = ("AnyIO worker thread", "asyncio_", "ThreadPoolExecutor")
"""Threads that an event loop keeps for the next call."""
OPEN = Path("/proc/self/fd")


class Leftovers(msgspec.Struct):
    """Tasks and threads; by themselves, because the plugins beside the one on stage have files of their own."""

    tasks: set[asyncio.Task[Any]]
    threads: set[threading.Thread]

    @classmethod
    def now(cls, *, tasks: bool = True) -> Leftovers:
        return cls(asyncio.all_tasks() if tasks else set(), set(threading.enumerate()))

    def more(self) -> list[str]:
        """What has begun since, and still is."""
        tasks = asyncio.all_tasks() - self.tasks if self.tasks else set()
        threads = set(threading.enumerate()) - self.threads
        return sorted(
            [f"task {task.get_name()!r}" for task in tasks if not task.done()]
            + [f"thread {each.name!r}" for each in threads if not each.name.startswith(POOLED)]
        )


class Process(msgspec.Struct):
    """What belongs to the whole process."""

    files: Counter[str]
    children: Counter[str]
    others: dict[str, str]

    @classmethod
    def now(cls) -> Process:
        return cls(Counter(_files()), Counter(_children()), _others())

    def more(self, later: Process) -> list[str]:
        """What `later` has that this had not."""
        files = [f"{count} open {kind}" for kind, count in (later.files - self.files).items()]
        return [*files, *(f"child process {pid}" for pid in later.children - self.children), *self.changed(later)]

    def changed(self, later: Process) -> list[str]:
        """What is not as it was."""
        return [f"{name} ({later.others[name]})" for name in self.others if self.others[name] != later.others[name]]


def _files() -> list[str]:
    found = []
    for each in OPEN.iterdir() if OPEN.exists() else ():
        try:
            kind = os.readlink(each)
        except OSError:
            continue  # the one that lists them
        found.append(f"{kind.partition(':')[0]}" if kind.startswith(("socket:", "pipe:")) else f"file {kind}")
    return found


def _children() -> list[str]:
    found: list[str] = []
    for each in Path("/proc/self/task").glob("*/children"):
        try:
            found += each.read_text().split()
        except OSError:
            continue  # the thread has ended
    return found


def _others() -> dict[str, str]:
    """State that somebody may have changed and not put back, as text."""
    loggers = [
        logging.root,
        *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)),
    ]
    return {
        "logging handlers": str(sum(len(one.handlers) for one in loggers)),
        "logging filters": str(sum(len(one.filters) for one in loggers)),
        "signal handlers": str(
            {
                each.name: handler
                for each in signal.Signals
                if (handler := signal.getsignal(each)) not in (signal.SIG_DFL, signal.SIG_IGN)
            }
        ),
        "atexit functions": str(atexit._ncallbacks()),
        "the environment": ", ".join(sorted(os.environ)),
        "the working directory": os.getcwd(),
        "sys.excepthook": repr(sys.excepthook),
        "threading.excepthook": repr(threading.excepthook),
        "gc callbacks": str(len(gc.callbacks)),
        "gc thresholds": str(gc.get_threshold()),
    }
