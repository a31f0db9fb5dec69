"""What a statement costs the server: CPU seconds of its backend, from the kernel's scheduler."""

from __future__ import annotations

import re
import time
from pathlib import Path

import asyncpg
import msgspec

from galvo import GalvoError


class Cost(msgspec.Struct, frozen=True):
    cpu: float
    """Seconds of the backend; of wall time where that cannot be read."""
    wall: float
    rows: int = 0
    timed_out: bool = False


class Backend:
    """A connection whose server process is on this machine, or not: then `exact` is false and CPU is wall time."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._schedstat = Path(f"/proc/{connection.get_server_pid()}/schedstat")
        self.exact = self._is_here()

    def cpu(self) -> float:
        """Seconds on a CPU since it started."""
        return int(self._schedstat.read_text().split()[0]) / 1e9 if self.exact else time.perf_counter()

    async def pages(self) -> int:
        """That its database has looked at, 8 KB each; 0 on a server that reports them late (before 15)."""
        if self.connection.get_server_version().major < 15:
            return 0
        await self.connection.execute("select pg_stat_force_next_flush()")
        found = await self.connection.fetchval(
            "select blks_hit + blks_read from pg_stat_database where datname = current_database()"
        )
        return int(found)

    async def run(self, sql: str, timeout: float = 0.0) -> Cost:
        """Run it in the open transaction, which survives a timeout (seconds; 0: none)."""
        await self.connection.execute(f"savepoint timed; set local statement_timeout = {round(timeout * 1e3)}")
        began, cpu = time.perf_counter(), self.cpu()
        try:
            status = await self.connection.execute(sql)
        except asyncpg.QueryCanceledError:
            cost = Cost(self.cpu() - cpu, time.perf_counter() - began, timed_out=True)
        else:
            cost = Cost(self.cpu() - cpu, time.perf_counter() - began, _rows(status))
        await self.connection.execute("rollback to timed")
        return cost

    def _is_here(self) -> bool:
        try:
            return "postgres" in self._schedstat.with_name("comm").read_text()
        except OSError:
            return False


def _rows(status: str) -> int:
    found = re.search(r"\d+$", status)
    return int(found[0]) if found else 0


async def connect(url: str) -> asyncpg.Connection:
    """Without prepared statements, whose plans would outlive the indexes. Raises GalvoError."""
    try:
        return await asyncpg.connect(url, statement_cache_size=0, server_settings={"application_name": "galvo bench"})
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = "the URL cannot be read" if isinstance(error, ValueError) else str(error) or type(error).__name__
        raise GalvoError(f"cannot connect to the database: {reason}") from None
