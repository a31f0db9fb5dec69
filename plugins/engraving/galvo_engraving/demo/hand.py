"""One real worker for the demo's jobs: `galvo tasks worker` in a process group of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from galvo import GalvoError
from galvo_engraving.ending import terminated

T = TypeVar("T")
APP = "galvo_engraving.demo.leashed:app"
OFF = ("embedded", "index", "monitor")
COMMAND = ("--class", "quick", "--class", "image", "--concurrency", "1")
_SECONDS = 10


class Hand:
    """A running worker."""

    def __init__(self, process: asyncio.subprocess.Process, log: Any) -> None:
        self.process = process
        self._log = log

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives. Raises GalvoError when the worker ends before."""
        doing, ended = asyncio.ensure_future(work), asyncio.ensure_future(self.process.wait())
        try:
            await asyncio.wait((doing, ended), return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            raise GalvoError(f"the worker for jobs has ended: {self._last_words()}")
        finally:
            for one in (doing, ended):
                one.cancel()
            await asyncio.gather(doing, ended, return_exceptions=True)

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "without a word")


@asynccontextmanager
async def hand(folder: Path, broker: str, database: str) -> AsyncIterator[Hand]:
    """Start one, whose settings are these and nobody else's. It has ended when the block has."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GALVO_")}
    # Not in a file and not in the arguments: the database's URL may hold a password.
    environment |= {
        "GALVO_TASKS__BROKER": broker,
        "GALVO_CACHE__REDIS": broker,
        "GALVO_POOL__URL": database,
        "GALVO_POOL__MIN_SIZE": "1",
        "GALVO_CACHE__MAX_ENTRY_BYTES": str(4 << 20),  # the dots of a large raster
        **{f"GALVO_{name.upper()}__ON": "false" for name in OFF},
    }
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *(Path(sys.executable).parent / "galvo", "tasks", "worker", "--app", APP, *COMMAND),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us alone
        )
        try:
            yield Hand(process, log)
        finally:
            await terminated(process, _SECONDS)
