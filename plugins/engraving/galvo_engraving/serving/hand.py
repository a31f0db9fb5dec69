"""The application's worker: `galvo tasks worker` as a child, started again when it ends by itself."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

from galvo_embedded.lease import Lock
from galvo_engraving.ending import terminated

APP = "galvo_engraving.demo.leashed:app"
COMMAND = ("--class", "quick", "--class", "image", "--concurrency", "1")
LOG = "engraving-worker.log"
FIRST, LONGEST = 1.0, 30.0
"""Seconds until it is started again."""
STABLE = 60.0
"""Seconds after which a start has gone well."""
SECONDS = 3.0
"""For its jobs, when it is to end; what it had begun can be done again."""


@asynccontextmanager
async def kept_running(data: Path) -> AsyncIterator[None]:
    """What it says is in `data`/engraving-worker.log. It has ended when the block has."""
    hand = Hand(data / LOG)
    keeping = asyncio.create_task(hand.keep())
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        hand.close()


def begun(log: Path) -> Lock:
    """Held by everybody whose worker writes into `log`: the first one empties it. Raises OSError."""
    lock = Lock(log)
    if lock.try_exclusive():
        os.truncate(log, 0)  # of the last time
    lock.shared()
    return lock


class Hand:
    def __init__(self, log: Path) -> None:
        log.parent.mkdir(exist_ok=True)
        self._log = log
        self._lock: Lock | None = None
        self._told = False
        self.process: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        pause = FIRST
        while True:
            began = monotonic()
            try:
                self._tell(f"has ended ({await self._once()}) and is started again; see {self._log}")
            except OSError as error:
                self._tell(f"cannot be started, which is tried again: {error}")
            if monotonic() - began > STABLE:
                pause = FIRST
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _tell(self, what: str) -> None:
        """Once."""
        if not self._told:
            sys.stderr.write(f"galvo: the worker {what}\n")
        self._told = True

    async def _once(self) -> int:
        if self._lock is None:
            self._lock = begun(self._log)
        environment = {**os.environ, "GALVO_POOL__MIN_SIZE": "1"}
        with self._log.open("ab") as log:
            self.process = process = await asyncio.create_subprocess_exec(
                *(Path(sys.executable).parent / "galvo", "tasks", "worker", "--app", APP, *COMMAND),
                stdin=asyncio.subprocess.PIPE,  # its end is ours
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us alone
            )
        try:
            return await process.wait()
        finally:
            await terminated(process, SECONDS)
