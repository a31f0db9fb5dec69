"""One user process's share in one server: starts it when nobody has, holds on to it until the close."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from galvo_embedded.account import Account
from galvo_embedded.lease import Lock
from galvo_embedded.paths import claim
from galvo_embedded.refusal import Refused, from_os_error, last_complaint

_LOG_BYTES = 5 << 20
_END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A running server."""

    url: str
    version: str
    socket: str


class Share:
    """`options` are words for the keeper's command line. Methods block: call them in a thread."""

    def __init__(
        self, title: str, folder: Path, account: Account, seconds: float, options: tuple[str, ...] = ()
    ) -> None:
        self.title, self.folder = title, folder
        self._account, self._seconds, self._options = account, seconds, options
        self._users: Lock | None = None
        self._one_at_a_time = threading.Lock()

    def open(self, programs: Callable[[], Path]) -> Found:
        """Find the server or start it from the folder that `programs` names. Raises Refused."""
        with self._one_at_a_time:
            try:
                claim(self.folder, self._account)
                with Lock(self.folder / "start.lock") as start:
                    start.exclusive()
                    return self._join(start, programs)
            except OSError as error:
                raise Refused(from_os_error(error, self.folder)) from None

    def lost(self) -> bool:
        """It has been opened, and its server has ended since. Does not block."""
        if self._users is None:
            return False
        try:
            with Lock(self.folder / "keeper.lock") as keeper:
                return keeper.try_exclusive()
        except OSError:  # it cannot be told: too many files are open, say
            return False

    def close(self) -> None:
        """Stop using the server; twice is fine."""
        with self._one_at_a_time:
            if self._users:
                self._users.close()
                self._users = None

    def _join(self, start: Lock, programs: Callable[[], Path]) -> Found:
        users = self._users or Lock(self.folder / "users.lock")
        try:
            users.shared()  # Waits while a keeper that lost its last user stops the server.
            with Lock(self.folder / "keeper.lock") as keeper:
                found = self._supervised(keeper) or self._start(start, keeper, programs())
        except BaseException:
            if users is not self._users:
                users.close()
            raise
        self._users = users
        return found

    def _supervised(self, keeper: Lock) -> Found | None:
        """The server of a living keeper, or None with `keeper` locked: it is on us to start one."""
        if keeper.try_exclusive():
            return None
        try:
            found = self._read()
            if _listens(found.socket):
                return found
        except FileNotFoundError:
            pass
        # The server has just died and its keeper is about to end.
        if keeper.exclusive_within(_END_SECONDS):
            return None
        raise Refused(f"the server in {self.folder} has lost its socket: end the programs that use it, then retry")

    def _start(self, start: Lock, keeper: Lock, programs: Path) -> Found:
        kind = self.folder.name.partition("-")[0]
        module = ("-m", "galvo_embedded.keeper", kind, str(self.folder), str(programs))
        words = (*module, f"{self._seconds:g}", str(start.fd), *self._options)
        log = self.folder / "log"
        with open(log, "ab") as output:
            if output.tell() > _LOG_BYTES:
                output.truncate(0)
            said = output.tell()
            # -S: the keeper needs the standard library and this package only, so it starts in 50 ms.
            keeping = subprocess.run(
                [sys.executable, "-S", "-P", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                pass_fds=(start.fd, keeper.fd),
                cwd="/",
                env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
                check=False,
            )
        answer = keeping.stdout.decode().strip()
        if answer.startswith("error "):
            raise Refused(answer.removeprefix("error "))
        if answer != "ready":
            words_left = log.read_bytes()[said:].decode(errors="replace")
            raise Refused(f"the keeper of {self.folder} ended early: {last_complaint(words_left)} (see {log})")
        return self._read()

    def _read(self) -> Found:
        return Found(*(self.folder / "url").read_text().splitlines())


def _listens(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(address)
        except TimeoutError:
            return True  # A full queue: it is busy, not dead.
        except OSError:
            return False
    return True
