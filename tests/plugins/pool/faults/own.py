"""A PostgreSQL of the test's own, to stop, start and freeze."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from galvo_embedded import Servers
from tests.conftest import until_released


class Own:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: Servers | None = None

    async def start(self) -> str:
        """Its DSN, always the same."""
        self._servers = Servers(self._folder, options={"fsync": "off"})
        await self._servers.postgres()
        return f"postgresql://postgres@/postgres?host={self._folder}/postgres-18/sockets&port=5432"

    async def stop(self) -> None:
        """At once, whatever runs; what was committed is kept."""
        if self._servers is not None:
            self._servers.close()
            self._servers = None
            await asyncio.to_thread(until_released, self._folder)

    def close(self) -> None:
        if self._servers is not None:
            self._servers.close()


def processes(backend: int) -> list[int]:
    """All of the server that has this one, the postmaster first."""
    parent = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    return [parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
