"""The worker processes, one per lane, and the order in which they take turns."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from galvo import GalvoError
from galvo_engraving.ending import closed
from galvo_engraving.modes import Mode
from galvo_engraving.worker import URL_VARIABLE

LINE_LIMIT = 1 << 20
"""Bytes of one answer at most: a histogram has a few kilobytes."""


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    mode: Mode
    title: str


LANES = (
    Lane("plain", "plain", "plain asyncpg"),
    Lane("again", "plain", "plain again"),
    Lane("pool", "pool", "pool"),
    Lane("full", "full", "pool + cache"),
)
"""`again` is plain asyncpg a second time: what it differs by is the noise of the machine."""


def turns(round_number: int) -> tuple[Lane, ...]:
    """Every lane once; each round starts with the next lane, so that drift hits all of them alike."""
    start = round_number % len(LANES)
    return LANES[start:] + LANES[:start]


class Worker:
    """A running worker; `ask` it one thing at a time."""

    def __init__(self, lane: Lane, process: asyncio.subprocess.Process, log: Any) -> None:
        self.lane = lane
        self._process = process
        self._log = log

    async def ask(self, **command: Any) -> dict[str, Any]:
        """Send `command` and wait for its answer. Raises GalvoError."""
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("a worker needs both pipes")
        if command:
            with suppress(ConnectionError):
                self._process.stdin.write(json.dumps(command).encode() + b"\n")
                await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise GalvoError(f"the worker for {self.lane.title} failed: {answer['error']}")
        return answer

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it ended without a word")


@asynccontextmanager
async def worker(lane: Lane, url: str) -> AsyncIterator[Worker]:
    """Start one and wait until it is ready; it has ended when the block has."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "galvo_engraving.worker", "--mode", lane.mode),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=os.environ | {URL_VARIABLE: url},
            limit=LINE_LIMIT,
            # Ctrl-C is for us alone; the worker ends because its stdin does.
            start_new_session=True,
        )
        try:
            started = Worker(lane, process, log)
            await started.ask()
            yield started
        finally:
            await closed(process)


@asynccontextmanager
async def workers(urls: Mapping[str, str]) -> AsyncIterator[dict[str, Worker]]:
    """All lanes' workers by the lane's name; `urls` has a DSN for each."""
    async with AsyncExitStack() as stack:
        yield {lane.name: await stack.enter_async_context(worker(lane, urls[lane.name])) for lane in LANES}
