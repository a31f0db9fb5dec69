"""A real standby of the tests' server, made with pg_basebackup; the programs are those of galvo-embedded."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from galvo_embedded.account import server_account
from galvo_embedded.binaries import postgres_programs


class StandbyServer:
    def __init__(self, dsn: str) -> None:
        """`dsn` leads to a galvo-embedded server, by its socket."""
        self._account = server_account()  # root cannot run PostgreSQL
        self._programs = postgres_programs(18, self._account)
        primary = parse_qs(urlsplit(dsn).query)["host"][0]
        self.home = Path(tempfile.mkdtemp(prefix="galvo-standby-"))
        self._account.give(self.home)
        self.dsn = dsn.replace(f"host={primary}", f"host={self.home}")
        self._process: subprocess.Popen[bytes] | None = None
        words = ["-h", primary, "-U", "postgres", "-D", str(self.home / "data"), "-R", "-c", "fast", "--no-sync"]
        self._run("pg_basebackup", *words)

    def start(self) -> None:
        options = {"unix_socket_directories": self.home, "listen_addresses": "", "port": 5432, "max_connections": 500}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        program = [str(self._programs / "postgres"), "-D", str(self.home / "data"), *words]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=log, cwd="/", **self._account.popen)
        for _ in range(1000):
            if not self._run("pg_isready", "-q", "-h", str(self.home), check=False):
                return
            time.sleep(0.02)
        raise AssertionError((self.home / "log").read_text())

    def stop(self) -> None:
        """At once, as in a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def _run(self, program: str, *words: str, check: bool = True) -> int:
        done = subprocess.run(
            [str(self._programs / program), *words], check=False, capture_output=True, cwd="/", **self._account.popen
        )
        if check and done.returncode:
            raise AssertionError(done.stderr.decode())
        return done.returncode
