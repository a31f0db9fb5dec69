"""The one way in which everything that measures begins and ends: signals, disk, other benches, exit codes."""

from __future__ import annotations

import fcntl  # Unix only, as the servers are
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from galvo import GalvoError
from galvo_bench.running.disk import must_fit
from galvo_bench.running.interruption import as_interrupts

FOLDER = Path(".galvo")
"""Of the private servers' data."""


class Needs:
    """A command that is no subject, and the MB that it writes at most, servers included."""

    def __init__(self, name: str, disk: int) -> None:
        self.name, self.disk = name, disk


@contextmanager
def measuring(name: str, disk: int) -> Iterator[None]:
    """Around a command whose words have been understood. Raises GalvoError, KeyboardInterrupt for what ends it."""
    with as_interrupts(), alone():
        must_fit([Needs(name, disk)], places())
        yield


def places() -> list[Path]:
    """Where servers and subjects write."""
    return [FOLDER.resolve(), Path(tempfile.gettempdir())]


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other bench of this user runs: they would share the servers and disturb each other.
    Raises GalvoError.
    """
    lock = Path(tempfile.gettempdir()) / f"galvo-bench-{os.getuid()}.lock"
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise GalvoError(
            f"cannot lock {lock} ({error.strerror}): remove it, or set TMPDIR to a folder of yours"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            who = f"process {holder}, " if holder.isdecimal() else ""
            sys.stderr.write(f"galvo: waiting for another galvo bench to end ({who}Ctrl-C gives up)\n")
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
