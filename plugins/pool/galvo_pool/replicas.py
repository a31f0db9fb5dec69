"""Standbys that answer reads which nobody may keep anyway: reports that ask for the time, samples, and the like.

A read goes to a standby only if that has replayed all that this process was told to be written: the primary's WAL
position is asked for again and again, and a read counts only what was asked for after the last write had ended. Other
processes' writes show after at most `max_lag`; so the cache is told that such answers must not be kept.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from galvo import Finding, Query, Rows
from galvo_pool.connection import run
from galvo_pool.errors import AWAY
from galvo_pool.lend import RUNNING

if TYPE_CHECKING:
    from galvo_pool.pool import Pool

WRITTEN = "select pg_catalog.pg_current_wal_insert_lsn() operator(pg_catalog.-) '0/0'::pg_catalog.pg_lsn"
REPLAYED = """
select case when pg_catalog.pg_is_in_recovery()
  then pg_catalog.pg_last_wal_replay_lsn() operator(pg_catalog.-) '0/0'::pg_catalog.pg_lsn end
"""
UNFIT = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.FeatureNotSupportedError,
)
"""A standby cannot run such a statement."""
TROUBLE = (*AWAY, asyncpg.InterfaceError, asyncpg.SerializationError, asyncpg.QueryCanceledError)
"""It cannot now: it is gone, or it had to cancel the statement to replay what conflicts with it."""
MOST = 1000
"""Unfit statements that are remembered."""


class Replica:
    """One standby."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.replayed = -1
        """Its position in the WAL when it was last asked; -1: it is no standby, or does not answer."""


class Replicas:
    """All standbys of one primary."""

    def __init__(self, primary: Pool, pools: Sequence[Pool], max_lag: float) -> None:
        """`max_lag`: seconds by which an answer may be older than what other processes wrote."""
        self._primary = primary
        self._replicas = [Replica(pool) for pool in pools]
        self._max_lag = max_lag
        self._unfit: set[str] = set()
        self._writes = 0
        self._seen = -1
        """Writes that had ended when the primary was last asked."""
        self._written = 0
        """The primary's position then."""
        self._asked = float("-inf")
        self.answers = 0
        """Reads that a standby has answered."""

    @property
    def pools(self) -> list[Pool]:
        return [replica.pool for replica in self._replicas]

    def wrote(self) -> None:
        """A statement has ended that may have written."""
        self._writes += 1

    def choose(self, query: Query) -> Replica | None:
        """A standby that shows all that this process knows to be written; None: only the primary is sure to."""
        if self._seen != self._writes or query.sql in self._unfit:
            return None
        if self._primary._loop.time() - self._asked > self._max_lag:
            return None
        fit = [replica for replica in self._replicas if replica.replayed >= self._written]
        return random.choice(fit) if fit else None  # noqa: S311  # load

    async def read(self, replica: Replica, query: Query) -> Rows | None:
        """The answer, not to be kept; None: the primary must be asked. Raises the statement's own errors."""
        pool = replica.pool
        try:
            holder = pool.take() or await pool.wait(self._max_lag)
        except (*TROUBLE, asyncpg.PostgresError, TimeoutError):
            replica.replayed = -1
            return None
        holder._in_use = RUNNING
        raw: Any = holder._con
        try:
            rows = await run(raw, query)
        except UNFIT:
            if len(self._unfit) < MOST:
                self._unfit.add(query.sql)
            return None
        except TROUBLE:
            if raw.is_closed():
                replica.replayed = -1
            return None
        finally:
            if holder._con is raw and holder._in_use is not None and not holder.give():
                pool.spawn(pool.give(holder, 5))
        self.answers += 1
        return Rows(rows.records, rows.status, keep=False)

    async def watch(self) -> None:
        """Ask all for their positions until cancelled."""
        while True:
            await self._ask_primary()
            await asyncio.gather(*(self._ask(replica) for replica in self._replicas))
            await asyncio.sleep(min(0.25, self._max_lag / 4))

    async def _ask_primary(self) -> None:
        writes, now = self._writes, self._primary._loop.time()
        try:
            self._written = int((await self._primary.ask(WRITTEN))[0][0])
        except (*TROUBLE, asyncpg.PostgresError, TimeoutError):
            self._seen = -1
        else:
            self._seen, self._asked = writes, now

    async def _ask(self, replica: Replica) -> None:
        try:
            found = (await replica.pool.ask(REPLAYED))[0][0]
        except (*TROUBLE, asyncpg.PostgresError, TimeoutError):
            replica.replayed = -1
        else:
            replica.replayed = -1 if found is None else int(found)

    async def checkup(self) -> list[Finding]:
        """Who answers."""
        await asyncio.gather(*(self._ask(replica) for replica in self._replicas))
        away = sum(replica.replayed < 0 for replica in self._replicas)
        found = f"{len(self._replicas) - away} of {len(self._replicas)} replay what the primary writes"
        if away:
            advice = "start the others, or correct `replicas` under [pool]: the primary answers for them"
            return [Finding("standbys", found, "advice", advice)]
        return [Finding("standbys", found)]

    async def open(self) -> None:
        """Open the pools; a standby that is not there may come later."""
        for replica in self._replicas:
            await replica.pool

    async def close(self) -> None:
        for replica in self._replicas:
            await replica.pool.close()
