"""Servers that a test may break: a standby of an embedded PostgreSQL, and a place for a Redis."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from galvo_embedded.account import server_account
from galvo_embedded.binaries import postgres_programs


class Standby:
    """A physical replica of the server behind `dsn`, made with pg_basebackup."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self._account = server_account()
        self._programs = postgres_programs(18, self._account)
        self._primary = parse_qs(urlsplit(dsn).query)["host"][0]
        self._home = Path(tempfile.mkdtemp(prefix="s-", dir=folder))
        self._account.give(self._home)
        self._process: subprocess.Popen[bytes] | None = None
        self.dsn = dsn.replace(f"host={self._primary}", f"host={self._home}")
        words = ("-h", self._primary, "-p", "5432", "-U", "postgres", "-R", "-c", "fast", "-X", "stream", "--no-sync")
        self._run("pg_basebackup", "-D", str(self._home / "data"), *words)

    @property
    def sockets(self) -> str:
        return str(self._home)

    def start(self) -> None:
        options = {"unix_socket_directories": self._home, "listen_addresses": "", "port": 5432, "fsync": "off"}
        options |= {"max_connections": 200}  # not less than its primary's
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        program = [str(self._programs / "postgres"), "-D", str(self._home / "data"), *words]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=log, cwd="/", **self._account.popen)
        for _ in range(1000):
            if (
                subprocess.run(
                    [str(self._programs / "pg_isready"), "-q", "-h", self.sockets, "-p", "5432"], check=False
                ).returncode
                == 0
            ):
                return
            time.sleep(0.02)
        raise AssertionError((self._home / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [str(self._programs / program), *words], check=True, capture_output=True, cwd="/", **self._account.popen
        )
