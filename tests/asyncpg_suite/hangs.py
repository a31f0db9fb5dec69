"""The way out of a test that hangs: its process says where all tasks are, and ends. The other tests get another one."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
from typing import Any

LONGEST_TEST = 60
"""Seconds until a test counts as hanging; the longest takes 10 on an idle machine."""


def watch() -> None:
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_TEST)
    faulthandler.dump_traceback_later(LONGEST_TEST + 5, exit=True)  # when Python itself hangs


def unwatch() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()


def _end(*_: object) -> None:
    print(f"\nIt hangs: {LONGEST_TEST} s. Its tasks, outermost call first:", file=sys.stderr)
    try:
        for task in asyncio.all_tasks():
            print(f"{task.get_name()}:", *_calls(task.get_coro()), sep="\n  ", file=sys.stderr)
    except RuntimeError:
        faulthandler.dump_traceback()  # no loop runs
    os._exit(1)


def _calls(awaited: Any) -> list[str]:
    """Where a task waits, through all that it awaits."""
    found = []
    while frame := getattr(awaited, "cr_frame", None):
        found.append(f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}")
        awaited = awaited.cr_await
    return [*found, repr(awaited)]
