"""Statements on connections of a pool: who takes them, what is known of their answers, what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import asyncpg

from galvo import KernelClosed, Pin, PluginError, Query, Rows, Session
from galvo_pool.connection import finish, run_to_the_end
from galvo_pool.fleet import Fleet
from galvo_pool.holder import Holder
from galvo_pool.lend import RUNNING, Lend, LentSession
from galvo_pool.metering import PRIMARY, Record
from galvo_pool.pinned import Pinned
from galvo_pool.pool import Pool
from galvo_pool.replicas import Replicas


class Runner:
    """Of one plugin."""

    def __init__(self, fleet: Fleet, record: Record) -> None:
        self.pool: Callable[[], Pool | None] = lambda: None
        """An application's pool may be gone."""
        self.tells: Any = None
        """A cache's word on what statements do; None: there is none."""
        self.replicas: Replicas | None = None
        self.queries = 0
        self.unkept_answers = 0
        self._fleet = fleet
        self._record = record

    @property
    def joined(self) -> Pool:
        """Raises PluginError while there is none."""
        pool = self.pool()
        if pool is None:
            raise PluginError("pool", "has no pool any more: the application has dropped it")
        return pool

    def serve(self, pool: Pool) -> None:
        """Run statements on this pool; what a cache tells is the pool's to know, too."""
        pool.fleet = self._fleet
        pool.meter.tell(self._record, PRIMARY)
        pool.pin = self.pin
        self.listen(self.tells, pool)

    def listen(self, tells: Any, pool: Pool | None) -> None:
        self.tells = tells
        if pool is not None:
            pool.traceless = tells.traceless if tells is not None else None

    async def run(self, query: Query) -> Rows:
        """On the session's connection, or any. Raises what asyncpg does."""
        session = query.session
        if session is not None:
            return await (session.pin or await self.attach(session)).run(query)
        if self.replicas is None:
            return await self.run_once(query)
        return await self.run_somewhere(self.replicas, query)

    async def run_somewhere(self, replicas: Replicas, query: Query) -> Rows:
        if query.kind == "rows" and not query.origin and self.tells is not None and self.tells.anywhere(query):
            replica = replicas.choose(query)
            rows = await replicas.read(replica, query) if replica is not None else None
            if rows is not None:
                return rows
        return await self.run_once(query)

    async def run_once(self, query: Query) -> Rows:
        holder = await self.take(RUNNING, own=bool(query.origin))
        raw: Any = holder._con
        self.queries += 1
        if not holder.dirty:
            holder.dirty = self.leaves_trace(query)
        known = not holder.unknown and not self.joined.differs(holder)
        began, minded = perf_counter(), self.minds(holder, query)
        try:
            rows = await run_to_the_end(raw, query, minded=minded)
            self.ended(query)
        except BaseException:
            self.ended(query)
            if not holder.give():
                giving = self.joined.spawn(self.give(holder, raw))
                if minded:
                    await finish(giving)
            raise
        self.timed(query.sql, perf_counter() - began)
        rows = self.kept(holder, rows) if known else self.unkept(rows)
        if not holder.give():
            await self.give(holder, raw)
        return rows

    async def attach(self, session: Session) -> Pin:
        if isinstance(session, LentSession):
            return self.pin(session)
        holder = await self.take(Lend(self.joined._loop.time(), None))
        pin = Pinned(self, holder, holder._con)
        if session.pin is None and not session.closed:
            session.pin = pin
            return pin
        await pin.release()  # two tasks began to use one session at once
        if session.pin is None:
            raise KernelClosed("this session has ended: use it inside its `async with` only")
        return session.pin

    def pin(self, session: LentSession) -> Pin:
        if session.closed:
            raise asyncpg.InterfaceError("the connection was released before this statement reached it")
        session.pin = pin = Pinned(self, session.holder, session.connection, lent=True)
        return pin

    async def take(self, lend: Any, *, own: bool = False) -> Holder:
        """A connection. Raises TimeoutError when none becomes free within `acquire_timeout`."""
        pool = self.joined
        while True:
            holder = pool.take() or await pool.wait(pool.options.acquire_timeout, own=own)
            holder._in_use = lend
            life = holder.life
            if life.identity == self._fleet.identity or self._fleet.admits(life):
                return holder
            holder._con.terminate()

    async def give(self, holder: Holder, raw: Any) -> None:
        """Back to the pool: a cancelled statement is waited for, then the connection is reset.

        asyncpg does this in a task of its own, so that a cancelled reset finishes. That task costs a seventh of a short
        query; here a cancelled reset closes its connection, and the next one opens.
        """
        if holder._con is raw and holder._in_use is not None:
            holder._in_use = RUNNING
            raw._pool_release_ctr += 1
            if not holder.give():
                await holder.release(None)

    def minds(self, holder: Holder, query: Query, *, lent: bool = False) -> bool:
        """Whether it matters how a statement ends that was cancelled: it may have written.

        `lent`: whoever runs it expects asyncpg's ways, and waits for that only if the cache must know.
        """
        if self.tells is None:
            return not lent
        return holder.dirty or not self.tells.only_reads(query)

    def leaves_trace(self, query: Query) -> bool:
        """Whether a statement may change the state of the session that runs it; asked after the cache has seen it."""
        return self.tells is None or not self.tells.traceless(query)

    def timed(self, sql: str, seconds: float) -> None:
        """What a statement took on the wire."""
        if (pool := self.pool()) and pool.load is not None:
            pool.load.record(sql, seconds)

    def ended(self, query: Query) -> None:
        """A statement has ended, in whatever way."""
        if self.replicas is not None and (self.tells is None or not self.tells.only_reads(query)):
            self.replicas.wrote()

    def count(self) -> None:
        self.queries += 1

    def kept(self, holder: Holder, rows: Rows) -> Rows:
        """What a connection has answered, marked if it is not to be kept."""
        return rows if holder.life.identity == self._fleet.identity else self.unkept(rows)

    def unkept(self, rows: Rows) -> Rows:
        self.unkept_answers += 1
        return Rows(rows.records, rows.status, keep=False)
