"""PostgreSQL: how it is made, started, asked whether it is ready, and stopped."""

from __future__ import annotations

import locale
import os
import re
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from galvo_embedded.account import Account
from galvo_embedded.child import launch
from galvo_embedded.refusal import SETTING, Refused

_DEFAULTS = {
    "shared_buffers": "128MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
}
_STARTUP = b"user\0postgres\0database\0postgres\0\0"


class Postgres:
    title = "PostgreSQL"
    stop = signal.SIGINT
    """A fast shutdown: sessions are ended, committed data is kept."""

    def __init__(self, folder: Path, programs: Path, account: Account, options: Mapping[str, str]) -> None:
        self._folder, self._programs, self._account, self._options = folder, programs, account, options
        self._data = folder / "data"
        self._major = folder.name.rpartition("-")[2]

    def prepare(self, keep: int) -> int | None:
        """Make the data folder when there is none. Gives initdb's exit code when it failed.

        Raises Refused for a folder that this server must not use, and OSError.
        """
        if self._data.is_dir() and os.listdir(self._data):
            self._check()
            self._forget_stale_pid()
            return None
        for half_done in self._folder.glob("new-*"):
            shutil.rmtree(half_done)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder))
        self._account.give(new)
        flags = ["--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"]
        flags += [*self._locale(), "--no-sync", "--no-instructions"]
        # SIGKILL: what a half-done initdb leaves is removed by the next start, so it need not tidy up.
        command = [str(self._programs / "initdb"), "-D", str(new), *flags]
        if code := launch(command, self._account, signal.SIGKILL, keep).wait():
            shutil.rmtree(new, ignore_errors=True)
            return code
        new.rename(self._data)
        return None

    def command(self, sockets: Path) -> list[str]:
        # The last ones win: an option must not move the server to where nobody looks for it.
        fixed = {"listen_addresses": "", "port": "5432", "unix_socket_directories": os.fspath(sockets)}
        settings = _DEFAULTS | {"unix_socket_permissions": "0700"} | dict(self._options) | fixed
        pairs = (("-c", f"{name}={value}") for name, value in settings.items())
        return [
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            *(word for pair in pairs for word in pair),
        ]

    def version(self, sockets: Path) -> str | None:
        """The version of the server once it accepts sessions, else None. Raises OSError before it listens."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(os.fspath(self.address(sockets)))
            client.sendall(struct.pack("!II", len(_STARTUP) + 8, 3 << 16) + _STARTUP)
            reply = b""
            while chunk := client.recv(8192):
                reply += chunk
                if found := re.search(rb"server_version\0([^\0]+)\0", reply):
                    client.sendall(b"X\0\0\0\4")
                    return found[1].decode()
        return None

    def url(self, sockets: Path) -> str:
        # The port is named because asyncpg would take PGPORT from the environment otherwise.
        return f"postgresql://postgres@/postgres?host={quote(os.fspath(sockets))}&port=5432"

    def address(self, sockets: Path) -> Path:
        return sockets / ".s.PGSQL.5432"

    def _check(self) -> None:
        try:
            found = (self._data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise Refused(
                f"{self._data} is not a PostgreSQL data folder: empty it or set {SETTING} to another folder"
            ) from None
        if found != self._major:
            raise Refused(
                f"{self._data} holds data of PostgreSQL {found}, not {self._major}: move it to "
                f"postgres-{found}/data and set GALVO_EMBEDDED__POSTGRES={found}, or set {SETTING}"
            )
        owner = self._data.stat().st_uid
        if owner != self._account.uid:
            raise Refused(
                f"{self._data} belongs to user id {owner} and the server runs as {self._account.uid}: "
                f"run as its owner or set {SETTING} to another folder"
            )

    def _locale(self) -> list[str]:
        if self._major != "16":
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        except locale.Error:
            return ["--locale=C"]
        return ["--locale=C.UTF-8"]

    def _forget_stale_pid(self) -> None:
        # We hold server.lock, so no server of ours runs. PostgreSQL itself refuses to start when the pid in
        # its stale file is in use again, by anything, as it happens when a container restarts. Only a
        # server that somebody started here by hand keeps its file; those work in the data folder.
        if sys.platform == "linux" and not any(_works_in(pid, self._data) for pid in Path("/proc").glob("[0-9]*")):
            (self._data / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return os.readlink(process / "cwd") == os.path.realpath(folder)
    except OSError:
        return False
