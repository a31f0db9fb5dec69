"""Starting a program so that it cannot outlive the process that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from galvo_embedded.account import Account
from galvo_embedded.refusal import Refused

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
"""Nothing of the user's: PGDATA, PGPORT, TZ or LC_MESSAGES would change what a server does and says."""


def launch(command: Sequence[str], account: Account, farewell: signal.Signals, keep: int) -> subprocess.Popen[bytes]:
    """Start `command` with its output on our stderr; call it from the main thread.

    On Linux it gets the signal `farewell` when this process ends in any way. It and all its children
    inherit the descriptor `keep`: whoever can lock that file knows that none of them is left.
    Raises Refused when the program cannot be run as `account`.
    """
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=(keep,),
            preexec_fn=_end_with_parent(farewell),
            **account.popen,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Refused(
            f"{command[0]} cannot be run as user id {account.uid} ({error}): "
            + ("run as a normal user" if account.switched else "reinstall its wheel")
        ) from None


def _end_with_parent(farewell: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def prepare() -> None:
        # Popen calls this after it changed the user; changing the user would clear the death signal.
        libc.prctl(_PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Become the parent of all descendants that lose theirs, so that `sweep` finds them (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep() -> None:
    """Kill and reap what a dead server left behind; a busy backend may not notice for hours (Linux)."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError):
        while pids := children.read_text().split():
            for pid in map(int, pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
