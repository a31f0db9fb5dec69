"""Processes that end when this one does, even by SIGKILL: nobody else would end them then."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def tied(farewell: signal.Signals = signal.SIGKILL) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`; on Linux. It is the thread that starts the process which must not end before it."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
