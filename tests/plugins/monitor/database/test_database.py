"""A sample of a real server: what sessions do, who blocks whom, and that nobody is disturbed by asking."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import Kernel, Metric
from galvo_monitor.database import Database, Sample
from galvo_monitor.database.asking import new
from galvo_pool import PoolPlugin

pytestmark = pytest.mark.anyio
LOG = logging.getLogger("galvo.test")


class Heard(dict[tuple[str, ...], float]):
    """Gauges' last values and counters' sums, by name and attributes' values."""

    def record(self, metric: Metric, value: float) -> None:
        key = (metric.name, *(text for _, text in metric.attributes))
        self[key] = value if metric.kind == "gauge" else self.get(key, 0) + value


class Stand:
    def __init__(self, dsn: str, stack: AsyncExitStack, **settings: Any) -> None:
        self.dsn = dsn
        self.heard = Heard()
        self.opened: list[asyncpg.Connection] = []
        self.database = Database(self._connect, log=LOG, **{"idle": 0.0, "again": 0.0, **settings})
        self._stack = stack

    async def _connect(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(self.dsn)
        self.opened.append(connection)
        return connection

    async def other(self, sql: str = "") -> asyncpg.Connection:
        """Another session, after `sql`."""
        connection = await asyncpg.connect(self.dsn)
        self._stack.push_async_callback(connection.close)
        if sql:
            await connection.execute(sql)
        return connection

    async def sample(self) -> Sample:
        await self.database.collect(self.heard.record)
        assert self.database.problem == ""
        assert self.database.sample is not None
        return self.database.sample


@asynccontextmanager
async def standing(dsn: str, **settings: Any) -> AsyncIterator[Stand]:
    async with AsyncExitStack() as stack:
        stand = Stand(dsn, stack, **settings)
        stack.push_async_callback(stand.database.close)
        yield stand


async def until_cancelled(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.QueryCanceledError):
        await connection.execute("select pg_sleep(20)")


async def test_sessions_are_counted_by_what_they_do(dsn: str) -> None:
    async with standing(dsn) as stand:
        empty = await stand.sample()
        assert empty.sessions == {"active": 0, "idle": 0, "idle in transaction": 0, "other": 0}
        await stand.other("select 1")
        forgetful = await stand.other("begin; select 1")
        busy = await stand.other("set application_name = 'busy'")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_cancelled, busy)
            watcher = await stand.other()
            active = "select count(*) from pg_stat_activity where application_name = 'busy' and state = 'active'"
            while not await watcher.fetchval(active):
                pass
            sample = await stand.sample()
            await watcher.fetchval("select pg_cancel_backend($1)", busy.get_server_pid())
        assert sample.sessions == {"active": 1, "idle": 2, "idle in transaction": 1, "other": 0}
        assert sample.idle == (forgetful.get_server_pid(),)
        assert sample.idle_count == 1
        assert sample.idle_oldest > 0
        assert sample.longest >= sample.idle_oldest
        assert sample.connections >= 5
        assert stand.heard["galvo.database.sessions", "idle in transaction"] == 1
        assert stand.heard["galvo.database.idle_in_transaction",] == 1
        assert len(stand.opened) == 1


async def test_for_a_moment_every_transaction_is_idle(dsn: str) -> None:
    async with standing(dsn, idle=60.0) as stand:
        await stand.other("begin; select 1")
        sample = await stand.sample()
        assert sample.sessions["idle in transaction"] == 1
        assert sample.idle_count == 0
        assert sample.idle == ()


async def test_who_is_blocked_and_by_whom(dsn: str) -> None:
    async with standing(dsn) as stand:
        holder = await stand.other("create table t(id int); insert into t values (1)")
        await holder.execute("begin; update t set id = 2")
        waiter, watcher = await stand.other(), await stand.other()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiter.execute, "update t set id = 3")
            while not await watcher.fetchval("select count(*) from pg_locks where not granted"):
                pass
            sample = await stand.sample()
            await holder.execute("rollback")
        assert sample.blocked == 1
        assert sample.blocker is not None
        assert (sample.blocker.pid, sample.blocker.blocker) == (waiter.get_server_pid(), holder.get_server_pid())
        assert sample.blocker.state == "idle in transaction"
        assert sample.blocker.waited is not None
        assert sample.blocker.waited > 0
        assert (await stand.sample()).blocker is None
        assert stand.heard["galvo.database.blocked",] == 0


async def test_counts_are_of_what_has_come_since(dsn: str) -> None:
    """Statistics reach the view when a session ends, at the latest."""
    async with standing(dsn) as stand:
        first = await stand.sample()
        assert first.hit_ratio is None
        assert not [name for name, *_ in stand.heard if name == "galvo.database.commits"]
        other = await asyncpg.connect(dsn)
        await other.execute("create table t as select generate_series(1, 1000) as id")
        await other.fetch("select * from t")
        await other.close()
        with anyio.fail_after(20):
            while (await stand.sample()).hit_ratio is None or not stand.heard.get(("galvo.database.commits",)):
                pass
        assert stand.database.sample is not None
        assert ("galvo.database.hit_ratio",) in stand.heard
        assert stand.heard.pop(("galvo.database.xid_age",)) > 0
        await stand.sample()
        assert ("galvo.database.xid_age",) in stand.heard, "told each time, though asked for more rarely"
        assert ("galvo.database.rows", "dead") in stand.heard


async def test_statistics_that_were_reset_are_no_counts(dsn: str) -> None:
    async with standing(dsn) as stand:
        other = await stand.other("select 1")
        await stand.sample()
        await stand.sample()
        await other.execute("select pg_stat_reset()")
        stand.heard.clear()
        await stand.sample()
        assert all(value >= 0 for value in stand.heard.values())
    assert new({"blks_hit": 3.0, "deadlocks": 1.0}, {"blks_hit": 5.0, "deadlocks": 0.0}) == {}
    assert new({"blks_hit": 7.0, "deadlocks": 1.0}, {"blks_hit": 5.0, "deadlocks": 0.0}) == {
        "blks_hit": 2.0,
        "deadlocks": 1.0,
    }
    assert new({"blks_hit": 7.0}, {}) == {}


async def test_what_a_role_may_not_see_is_counted_and_not_guessed(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.other("begin; select 1")
        admin = await stand.other("drop role if exists monitor_nobody; create role monitor_nobody")
        plain = await asyncpg.connect(dsn)
        await plain.execute("set role monitor_nobody")
        try:
            database = Database(lambda: _given(plain), log=LOG, idle=0.0)
            await database.collect(stand.heard.record)
            assert database.problem == ""
            assert database.sample is not None
            assert database.sample.hidden == 2
            assert database.sample.sessions == {"active": 0, "idle": 0, "idle in transaction": 0, "other": 2}
        finally:
            await database.close()
            await admin.execute("drop role monitor_nobody")


async def _given(connection: asyncpg.Connection) -> asyncpg.Connection:
    return connection


async def test_nothing_stays_in_the_session(dsn: str) -> None:
    """A pooler may give it to others."""
    async with standing(dsn) as stand:
        await stand.sample()
        (own,) = stand.opened
        settings = "select array[current_setting('statement_timeout'), current_setting('application_name'), $1]"
        before = await asyncpg.connect(dsn)
        assert await own.fetchval(settings, "") == await before.fetchval(settings, "")
        assert not own.is_in_transaction()
        await before.close()


async def test_a_lost_connection_is_opened_again(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    async with standing(dsn) as stand:
        await stand.sample()
        other = await stand.other()
        await other.execute(f"select pg_terminate_backend({stand.opened[0].get_server_pid()})")
        with anyio.fail_after(20):
            while len(stand.opened) == 1:
                await stand.database.collect(stand.heard.record)
        await stand.sample()
        assert len(stand.opened) == 2


async def test_a_server_that_does_not_answer_is_told_once_and_waited_for(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "galvo.test")
    away = True

    async def connect() -> asyncpg.Connection:
        if away:
            raise ConnectionRefusedError("nobody is there")
        return await asyncpg.connect(dsn)

    heard, now = Heard(), [0.0]
    database = Database(connect, log=LOG, clock=lambda: now[0])
    for _ in range(5):
        now[0] += 60
        await database.collect(heard.record)
    assert database.sample is None
    assert database.problem == "the database cannot be asked how it is: nobody is there"
    away = False
    await database.collect(heard.record)
    assert database.sample is None, "it is not tried again at once"
    now[0] += 60
    await database.collect(heard.record)
    assert database.sample is not None
    assert caplog.messages == [
        "the database cannot be asked how it is: nobody is there",
        "the database tells how it is again",
    ]
    await database.close()


async def test_a_server_that_hangs_costs_two_timeouts_and_its_connection(dsn: str) -> None:
    """Its catalog is locked: nobody can even look up a table."""
    async with standing(dsn, timeout=0.2) as stand:
        await stand.sample()
        locker = await stand.other()
        await locker.execute("begin; lock table pg_database in access exclusive mode")
        stand.database._looked = float("-inf")
        await stand.database.collect(stand.heard.record)
        assert stand.database.sample is None
        assert "cannot be asked" in stand.database.problem
        await locker.execute("rollback")
        await stand.sample()


async def test_it_is_never_a_connection_of_the_pool(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 1}}) as kernel:
        pool = kernel.find_capability("pool")
        database = Database(pool.connect, log=LOG, idle=0.0)
        heard = Heard()
        async with kernel.transaction() as session:
            pid = await session.fetchval("select pg_backend_pid()")
            await database.collect(heard.record)
            assert database.sample is not None
            assert database.sample.idle == (pid,)
        await database.close()
        assert pool.stats()["size"] == 1
