"""Keeps the connection: never one of the application's, opened again when it is lost, given up quietly."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import anyio

from galvo_monitor.database.asking import Counts, ask, new
from galvo_monitor.database.metering import GAUGES, Forget, Record, record_counts, record_sample, record_upkeep
from galvo_monitor.database.sample import Sample, Upkeep

REST = 300.0
"""Seconds between two looks at what changes slowly."""
LIFETIME = 600.0
"""Seconds until the connection is opened anew: after a failover the name may lead elsewhere."""
AGAIN = 5.0
"""Seconds after a failed attempt in which none is made."""


class Database:
    """`sample` is the last one; None while the server cannot be asked, and `problem` says why."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        *,
        log: logging.Logger,
        timeout: float = 2.0,
        idle: float = 5.0,
        again: float = AGAIN,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`connect` opens a connection of asyncpg's, which this closes: the pool plugin's `connect`, for example.

        `timeout`: seconds that a statement may take, and twice that is what a sample may; `idle`: seconds from which a
        session counts as idle in its transaction.
        """
        self._connect = connect
        self._log = log
        self._timeout = timeout
        self._idle = idle
        self._again = again
        self._clock = clock
        self._connection: Any = None
        self._opened = self._failed = self._looked = float("-inf")
        self._counts: Counts = {}
        self.sample: Sample | None = None
        self.upkeep: Upkeep | None = None
        self.problem = ""

    async def collect(self, record: Record, forget: Forget | None = None) -> None:
        """Sample, and tell `record`, or `forget` when it cannot. Never raises, and takes two timeouts at most."""
        now = self._clock()
        if now - self._failed < self._again:
            return
        try:
            with anyio.fail_after(2 * self._timeout):
                await self._look(record, now)
        except Exception as error:  # noqa: BLE001  # whatever the driver raises, the application goes on without this
            self._drop()
            self.sample = None
            if forget is not None:
                for gauge in GAUGES:
                    forget(gauge)
            self._failed = self._clock()
            self._tell(f"the database cannot be asked how it is: {_sentence(error)}")
        except BaseException:
            self._drop()
            raise
        else:
            self._tell("")

    async def _look(self, record: Record, now: float) -> None:
        if self._connection is not None and (self._connection.is_closed() or now - self._opened >= LIFETIME):
            connection, self._connection = self._connection, None
            await connection.close()
        if self._connection is None:
            self._connection = await self._connect()
            self._opened, self._counts = now, {}
        sample, counts, upkeep = await ask(
            self._connection,
            timeout=self._timeout,
            idle=self._idle,
            before=self._counts,
            upkeep=now - self._looked >= REST,
        )
        came, self._counts = new(counts, self._counts), counts
        self.sample = sample
        record_sample(record, sample)
        record_counts(record, came)
        if upkeep is not None:
            self._looked, self.upkeep = now, upkeep
        if self.upkeep is not None:
            record_upkeep(record, self.upkeep)

    async def close(self) -> None:
        """The connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with anyio.move_on_after(1, shield=True) as scope:
                await connection.close()
            if scope.cancelled_caught:
                connection.terminate()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _tell(self, problem: str) -> None:
        """Once for each time it begins and ends."""
        if problem and not self.problem:
            self._log.warning("%s", problem)
        elif self.problem and not problem:
            self._log.info("the database tells how it is again")
        self.problem = problem


def _sentence(error: BaseException) -> str:
    """A ValueError quotes pieces of the URL."""
    text = " ".join(str(error).split())[:200]
    return text if text and not isinstance(error, ValueError) else type(error).__name__
