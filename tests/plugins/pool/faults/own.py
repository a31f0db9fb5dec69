"""A PostgreSQL of the test's own, to stop, start and freeze."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from galvo_embedded import Servers
from tests.conftest import until_released


class Own:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: Servers | None = None

    async def start(self) -> str:
        """Its DSN."""
        self._servers = Servers(self._folder, options={"fsync": "off"})
        return await self._servers.postgres()

    async def stop(self) -> None:
        """At once, whatever runs; what was committed is kept."""
        if self._servers is not None:
            self._servers.close()
            self._servers = None
            await asyncio.to_thread(until_released, self._folder)

    async def processes(self, con: asyncpg.Connection) -> list[int]:
        """The postmaster first."""
        pid = await con.fetchval("select pg_backend_pid()")
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    def close(self) -> None:
        if self._servers is not None:
            self._servers.close()


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
