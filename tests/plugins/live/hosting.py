"""The host of `app.py`, started, asked, sent signals, ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import forking

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


class Host:
    def __init__(self, folder: Path, *words: str, **how: Any) -> None:
        self.folder = folder
        self._log = folder / "log"
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.plugins.live.app", *words],
                cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, **how,
            )  # fmt: skip
        self._seen = 0
        assert self.said() == "ready", self.log

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, sql: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{sql}\n")
        self.process.stdin.flush()
        return self.said()

    def next(self, words: str) -> str:
        """The next line of its log with these words, after those that were waited for before."""
        end = time.monotonic() + PATIENCE
        while True:
            new = self.log[self._seen :]
            for line in new.splitlines(keepends=True):
                if words in line and line.endswith("\n"):
                    self._seen += new.index(line) + len(line)
                    return line.strip()
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.02)

    def galvo(self, *words: str) -> subprocess.CompletedProcess[str]:
        return forking.galvo(*words, "--pid", str(self.process.pid), folder=ROOT, COLUMNS="80")


@contextmanager
def hosted(folder: Path, *words: str, **how: Any) -> Iterator[Host]:
    """Without a terminal, unless `how` gives it one. At the end it is asked to end, and has to."""
    host = Host(folder, *words, **{"start_new_session": True, **how})
    try:
        yield host
        if host.process.poll() is None:
            assert host.process.stdin is not None
            host.process.stdin.close()
            assert host.process.wait(PATIENCE) == 0, host.log
    finally:
        host.process.kill()
        host.process.wait()
        for pipe in (host.process.stdin, host.process.stdout):
            if pipe is not None:
                pipe.close()
