"""The processes of a run: what they say, what they have used."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from galvo import GalvoError
from galvo_bench.load.lines import LIMIT
from galvo_engraving.ending import closed


class Child:
    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Any) -> None:
        self.name = name
        self._process = process
        self._log = log

    async def hear(self) -> dict[str, Any]:
        """What it says next. Raises GalvoError."""
        assert self._process.stdout is not None  # noqa: S101  # it was started so
        line = await self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise GalvoError(f"{self.name} failed: {answer['error']}")
        return answer

    def tell(self, command: object) -> None:
        assert self._process.stdin is not None  # noqa: S101  # it was started so
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def cpu_seconds(self) -> float:
        """Of it and its children."""
        found = 0.0
        for process in self._tree():
            with suppress(psutil.Error):
                times = process.cpu_times()
                found += times.user + times.system
        return found

    def peak_mib(self) -> float:
        """The most memory that each of them ever held, together."""
        return self._memory("VmHWM:")

    def rss_mib(self) -> float:
        """The memory that they hold now."""
        return self._memory("VmRSS:")

    def _memory(self, what: str) -> float:
        found = 0
        for process in self._tree():
            with suppress(OSError):
                lines = Path(f"/proc/{process.pid}/status").read_text("ascii").splitlines()
                found += sum(int(line.split()[1]) for line in lines if line.startswith(what))
        return found / 1024

    def _tree(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it ended without a word")


@asynccontextmanager
async def child(name: str, *arguments: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """`python -m` these; it has ended when the block has."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=os.environ | (env or {}),
            limit=LIMIT,
            start_new_session=True,  # Ctrl-C is for us alone; it ends because its stdin does
        )
        try:
            yield Child(name, process, log)
        finally:
            await closed(process)
