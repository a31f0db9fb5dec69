"""The file that keeps the state of the alerts; one process at a time has it."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from galvo_monitor.alerts.errors import RuleProblem

MOST = 4 << 20
"""Bytes that are read."""


class StateFile:
    """Its methods block: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._closed = False

    def take(self) -> bool:
        """Whether it is this process's, from now until `close`. Raises RuleProblem when there can be no such file."""
        if self._lock is not None:
            return True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RuleProblem(f"{self.path} cannot keep the state of the alerts: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._lock = lock
        if self._closed:  # while this was waited for
            self.close()
            return False
        return True

    def read(self) -> bytes | None:
        """None: there is none yet. Raises RuleProblem."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MOST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RuleProblem(f"{self.path} cannot be read, so all alerts begin anew: {error.strerror}") from None
        if len(data) > MOST:
            raise RuleProblem(f"{self.path} is too big for the state of alerts, so they begin anew: delete it")
        return data

    def write(self, data: bytes) -> None:
        """All of it or nothing; nothing once it is closed. Raises RuleProblem, for example when the disk is full."""
        name = ""
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if self._closed:  # what took as long as that is older than what another process may have written
                os.unlink(name)
            else:
                os.replace(name, self.path)
        except OSError as error:
            if name:
                with suppress(OSError):
                    os.unlink(name)
            raise RuleProblem(
                f"{self.path} cannot be written, so a restart would forget newer alerts: {error.strerror}"
            ) from None

    def close(self) -> None:
        """For good."""
        self._closed = True
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)
