"""What a pool does by itself, four times a second: check idle connections, replace old ones, report kept ones."""

from __future__ import annotations

import asyncio
import logging
import weakref
from typing import TYPE_CHECKING, Any

from galvo_pool.lend import RUNNING

if TYPE_CHECKING:
    from galvo_pool.holder import Holder
    from galvo_pool.pool import Pool

log = logging.getLogger("galvo.pool")
EVERY = 0.25
"""Seconds."""
STATES = """
select a.pid, a.state, extract(epoch from pg_catalog.clock_timestamp() - a.state_change)::float8 as since,
  (select count(*) from pg_catalog.pg_locks l where l.pid = a.pid and l.granted and l.mode <> 'AccessShareLock'
    and l.locktype in ('relation', 'tuple', 'advisory')) as locks,
  (select count(*) from pg_catalog.pg_stat_activity b where a.pid = any(pg_catalog.pg_blocking_pids(b.pid))
    and b.wait_event_type = 'Lock') as blocks
from pg_catalog.pg_stat_activity a where a.pid = any($1::int[])
"""

UNKNOWN = {"state": "unknown"}


class Housekeeping:
    """Of one pool, which it does not keep alive."""

    def __init__(self, pool: Pool) -> None:
        self._pool = weakref.ref(pool)
        self._timer: asyncio.TimerHandle | None = None
        self.checked = 0
        self.leaks = 0

    def start(self) -> None:
        pool = self._pool()
        if pool is not None and not pool.is_closing():
            self._timer = pool._loop.call_later(EVERY, self._turn)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        pool = self._pool()
        if pool is None or pool._closed:
            return
        now = pool._loop.time()
        pool.resize()
        if pool.auto and pool.get_size() and pool.growth.due(now):
            pool.spawn(pool.growth.measure())
        self._look_after_idle(pool, now)
        self._look_after_lent(pool, now)
        self._timer = pool._loop.call_later(EVERY, self._turn)

    def _look_after_idle(self, pool: Pool, now: float) -> None:
        """One at a time, that which has been idle longest: nobody should miss it."""
        for holder in pool._queue.idle():
            old = now >= holder.life.until or pool.get_size() > pool.get_max_size()
            if not old and now < holder.heard + pool.options.check_after_idle:
                continue
            if not pool._queue.waiters and pool._queue.withdraw(holder):
                pool.spawn(self._renew(pool, holder) if old else self._check(pool, holder))
            return

    async def _check(self, pool: Pool, holder: Holder) -> None:
        try:
            self.checked += 1
            await holder.answers()
        finally:
            pool._queue.put_nowait(holder)

    async def _renew(self, pool: Pool, holder: Holder) -> None:
        try:
            if holder._con is not None:
                await holder._con.close(timeout=5)
            if pool.get_size() < pool.get_min_size():
                await holder.connect()
        finally:
            pool._queue.put_nowait(holder)

    def _look_after_lent(self, pool: Pool, now: float) -> None:
        limit, end = pool.options.leak_after, pool.options.reclaim_after
        if not limit and not end:
            return
        kept = {}
        for holder in pool._holders:
            lend: Any = holder._in_use
            if lend is None or lend is RUNNING or holder._con is None:
                continue
            if end and now - lend.since > end:
                log.warning("a connection is closed after %.0f s: it was taken at %s", now - lend.since, lend.site())
                holder._con.terminate()
            elif limit and now - lend.since > limit and not lend.reported:
                kept[holder._con.get_server_pid()] = lend
        if kept:
            pool.spawn(self._report(pool, kept))

    async def _report(self, pool: Pool, kept: dict[int, Any]) -> None:
        """Say who keeps a connection and runs nothing on it."""
        try:
            states = {row["pid"]: row for row in await pool.ask(STATES, list(kept))}
        except TimeoutError:  # perhaps these are all that there are
            states = dict.fromkeys(kept, UNKNOWN)
        now = pool._loop.time()
        for pid, lend in kept.items():
            row = states.get(pid)
            if row is None or row["state"] == "active" or lend.reported:
                continue
            lend.reported = True
            self.leaks += 1
            log.warning(
                "a connection has been lent for %.0f s%s: it was taken at %s by task %s",
                now - lend.since, _described(row), lend.site(), lend.task,
            )  # fmt: skip


def _described(row: Any) -> str:
    if row is UNKNOWN:
        return ""
    text = f", is {row['state']} for {row['since']:.0f} s"
    if row["locks"]:
        text += f", holds {row['locks']} locks"
    return text + (f" that {row['blocks']} sessions wait for" if row["blocks"] else "")
