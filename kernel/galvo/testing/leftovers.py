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
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

if TYPE_CHECKING:
    from galvo.testing.stage import Stage

POOLED = ("AnyIO worker thread", "asyncio_", "ThreadPoolExecutor")
"""Threads that an event loop keeps for the next call."""
OPEN = Path("/proc/self/fd")
PATIENCE = 3.0
"""Seconds that what is about to end may take."""


class Leftovers(msgspec.Struct):
    tasks: set[asyncio.Task[Any]]
    threads: set[threading.Thread]

    @classmethod
    def now(cls) -> Leftovers:
        return cls(asyncio.all_tasks(), set(threading.enumerate()))

    def more(self) -> list[str]:
        """What has begun since, and still is."""
        tasks = [f"task {task.get_name()!r}" for task in asyncio.all_tasks() - self.tasks if not task.done()]
        threads = [
            f"thread {thread.name!r}"
            for thread in set(threading.enumerate()) - self.threads
            if not thread.name.startswith(POOLED)
        ]
        return sorted(tasks + threads)

    async def gone(self, stage: Stage, when: str, remedy: str) -> None:
        """Wait until nothing is left; fail if something stays."""
        with anyio.move_on_after(PATIENCE):
            while self.more():
                await anyio.sleep(0.002)
        stage.ensure(not (left := self.more()), f"{when}, it leaves {', '.join(left)}", remedy)


class Process(msgspec.Struct):
    """What belongs to the whole process."""

    files: Counter[str]
    children: Counter[str]
    others: dict[str, str]

    @classmethod
    def now(cls) -> Process:
        gc.collect()
        return cls(Counter(_files()), Counter(_children()), _others())

    def more(self, later: Process) -> list[str]:
        """What `later` has that this had not."""
        changed = [f"{name} ({later.others[name]})" for name in self.others if self.others[name] != later.others[name]]
        files = [f"{count} open {kind}" for kind, count in (later.files - self.files).items()]
        return [*files, *(f"child process {pid}" for pid in later.children - self.children), *changed]


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
                for each in signal.valid_signals()
                if isinstance(each, signal.Signals)
                and (handler := signal.getsignal(each)) not in (signal.SIG_DFL, signal.SIG_IGN)
            }
        ),
        "atexit functions": str(atexit._ncallbacks()),  # noqa: SLF001
        "the environment": ", ".join(sorted(os.environ)),
        "the working directory": os.getcwd(),
        "sys.excepthook": repr(sys.excepthook),
        "threading.excepthook": repr(threading.excepthook),
        "gc callbacks": str(len(gc.callbacks)),
        "gc thresholds": str(gc.get_threshold()),
    }
