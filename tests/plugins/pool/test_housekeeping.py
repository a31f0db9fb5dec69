"""What the pool does by itself: it replaces what was cut, renews what is old, and says who keeps what others need."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_pool import PoolBusy, PoolPlugin, create_pool, housekeeping
from tests.plugins.pool.heard import PID, until
from tests.plugins.pool.relay import relay

pytestmark = pytest.mark.anyio
KINDS = pytest.mark.parametrize("kind", ["chained", "plain"])


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "EVERY", 0.02)


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


def made(dsn: str, kind: str, **keywords: Any) -> Any:
    kernel = Kernel.of({PoolPlugin: {}}) if kind == "chained" else None
    return create_pool(dsn, kernel=kernel, **{"min_size": 1, "max_size": 4, **keywords})


async def backends(other: asyncpg.Connection) -> int:
    sql = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    return int(await other.fetchval(sql))


def open_pids(pool: Any) -> list[int]:
    return [holder._con.get_server_pid() for holder in pool._holders if holder.is_connected()]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "galvo.pool"]


# -- idle ones ----------------------------------------------------------------------------------------


@KINDS
async def test_an_idle_connection_that_falls_silent_is_replaced(dsn: str, kind: str) -> None:
    """A firewall drops it without a word: only asking tells."""
    async with relay(dsn) as (url, counted), made(url, kind, check_after_idle=0.05, check_timeout=0.2) as pool:
        pid = await pool.fetchval(PID)
        counted.mute()
        await until(lambda: open_pids(pool) not in ([], [pid]))
        pool.options = replace(pool.options, check_after_idle=60)  # the new one is not asked: it may answer late
        (new,) = open_pids(pool)
        assert await pool.fetchval(PID) == new


@KINDS
async def test_one_that_falls_silent_is_noticed_when_it_is_lent(
    dsn: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "EVERY", 60)
    async with relay(dsn) as (url, counted), made(url, kind, check_after_idle=0.05, check_timeout=0.2) as pool:
        assert await pool.fetchval("select 1") == 1
        counted.mute()
        await asyncio.sleep(0.1)
        async with pool.acquire() as connection:
            assert await connection.fetchval("select 1", timeout=5) == 1


@KINDS
async def test_one_that_is_not_needed_goes_though_it_answers(dsn: str, kind: str) -> None:
    keywords = {"check_after_idle": 0.02, "max_inactive_connection_lifetime": 0.2}
    async with made(dsn, kind, **keywords) as pool:
        await asyncio.gather(*(pool.fetchval("select pg_sleep(0.1)") for _ in range(3)))
        assert pool.get_size() == 3
        await until(lambda: pool.get_size() == 1)
        checked = pool.housekeeping.checked
        assert checked > 0
        await until(lambda: pool.housekeeping.checked > checked + 20)
        assert pool.get_size() == 1


@KINDS
async def test_one_that_answers_stays(dsn: str, kind: str) -> None:
    async with made(dsn, kind, max_size=1, check_after_idle=0.01) as pool:
        pid = await pool.fetchval(PID)
        await until(lambda: pool.housekeeping.checked >= 5)
        assert await pool.fetchval(PID) == pid
        assert pool.get_size() == pool.get_idle_size() == 1


@KINDS
async def test_lifetime_renews_and_nobody_notices(dsn: str, other: asyncpg.Connection, kind: str) -> None:
    async with made(dsn, kind, min_size=4, max_lifetime=0.1) as pool:
        pids: set[int] = set()
        failed: list[BaseException] = []

        async def work() -> None:
            while len(pids) < 20:
                try:
                    async with pool.acquire() as connection:
                        first = await connection.fetchval(PID)
                        await asyncio.sleep(0.002)
                        assert await connection.fetchval(PID) == first, "one that is lent is never replaced"
                        pids.add(first)
                    pids.add(await pool.fetchval(PID))
                except Exception as error:
                    failed.append(error)
                    return

        await asyncio.gather(*(work() for _ in range(6)))
        assert failed == []
        assert pool.get_size() <= 4
        assert await backends(other) <= 8, "those that are closed end a moment later"
        if kind == "chained":
            assert pool.kernel.plugin_stats("pool")["lost"] == 0, "they were closed on purpose, the cache need not mind"


@KINDS
async def test_lifetime_renews_those_that_nobody_uses(dsn: str, kind: str) -> None:
    async with made(dsn, kind, min_size=3, max_lifetime=0.1) as pool:
        before = set(open_pids(pool))
        assert len(before) == 3
        await until(lambda: len(open_pids(pool)) == 3 and not before & set(open_pids(pool)))


async def test_lifetime_has_jitter(dsn: str) -> None:
    async with made(dsn, "plain", min_size=4, max_lifetime=1000) as pool:
        ends = [holder.life.until - holder.life.born for holder in pool._holders]
        assert len(set(ends)) == 4
        assert all(900 <= end <= 1100 for end in ends)
    async with made(dsn, "plain", max_lifetime=0) as pool:
        assert pool._holders[-1].life.until == float("inf")


# -- lent ones ----------------------------------------------------------------------------------------


@KINDS
async def test_a_leak_is_reported_with_all_that_helps(
    dsn: str, other: asyncpg.Connection, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    await other.execute("create table t(id int primary key); insert into t values (1)")
    async with made(dsn, kind, leak_after=0.1) as pool:
        here, done, line = asyncio.Event(), asyncio.Event(), 0

        async def forgetful() -> None:
            nonlocal line
            line = asyncio.current_task().get_coro().cr_frame.f_lineno + 1  # type: ignore[union-attr]
            async with pool.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("update t set id = 1")
                here.set()
                await done.wait()
                await transaction.rollback()

        task = asyncio.create_task(forgetful(), name="the forgetful one")
        await here.wait()
        blocked = asyncio.create_task(other.execute("update t set id = 2"))
        await until(lambda: told(caplog))
        done.set()
        await asyncio.gather(task, blocked)
        (report,) = told(caplog)
        assert f"{__file__}:{line} in forgetful" in report, report
        assert "by task the forgetful one" in report
        assert re.search(r"lent for \d+ s, is idle in transaction for \d+ s, holds \d+ locks", report)
        assert "that 1 sessions wait for" in report
        assert pool.housekeeping.leaks == 1
        if kind == "chained":
            assert pool.kernel.plugin_stats("pool")["leaks"] == 1


@KINDS
async def test_it_is_reported_once_and_what_runs_is_not(dsn: str, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async with made(dsn, kind, leak_after=0.05) as pool, pool.acquire() as lent:
        await lent.fetch("select pg_sleep(0.5)")
        assert told(caplog) == [], "it works"
        await until(lambda: told(caplog))
        checked = pool.housekeeping
        await asyncio.sleep(0.2)
        assert checked.leaks == len(told(caplog)) == 1
        assert re.search(r", is idle for \d+ s:", told(caplog)[0])


@KINDS
async def test_it_is_reported_when_no_connection_is_left_to_ask(
    dsn: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with made(dsn, kind, max_size=1, leak_after=0.05, check_timeout=0.1) as pool, pool.acquire():
        await until(lambda: told(caplog))
        assert f"taken at {__file__}:" in told(caplog)[0]


@KINDS
async def test_reclaim_closes_it(
    dsn: str, other: asyncpg.Connection, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with made(dsn, kind, max_size=1, reclaim_after=0.1) as pool:
        lent = await pool.acquire()
        pid = lent.get_server_pid()
        waits = asyncio.create_task(pool.fetchval(PID))
        assert await waits not in (None, pid), "the next one gets a new one"
        with pytest.raises(asyncpg.InterfaceError):
            await lent.fetchval("select 1")
        await pool.release(lent)
        assert [line for line in told(caplog) if re.search(rf"is closed after \d+ s: it was taken at {__file__}", line)]
        sql = "select count(*) from pg_stat_activity where pid = $1"
        while await other.fetchval(sql, pid):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.01)
        assert pool.get_size() == 1
        assert await pool.fetchval("select 1") == 1


@KINDS
async def test_both_can_be_off(dsn: str, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async with made(dsn, kind, leak_after=0, reclaim_after=0) as pool, pool.acquire() as lent:
        for _ in range(10):
            pool.housekeeping.stop()
            pool.housekeeping._turn()
        await asyncio.sleep(0.05)
        assert await lent.fetchval("select 1") == 1
    assert told(caplog) == []


# -- those that wait ----------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("most", [0, 2])
async def test_who_would_wait_too_long_is_told_at_once(dsn: str, kind: str, most: int) -> None:
    async with made(dsn, kind, max_size=1, max_waiting=most) as pool:
        lent = await pool.acquire()
        waits = [asyncio.create_task(pool.fetchval("select 1")) for _ in range(most)]
        await until(lambda: len(pool._queue.waiters) == most)
        for ask in (pool.acquire, lambda: pool.fetchval("select 1"), lambda: pool.execute("select 1")):
            with pytest.raises(PoolBusy, match=rf"^{most} wait for one of 1 .*max_waiting.*: they are with .*:\d+ in"):
                await ask()
        assert issubclass(PoolBusy, asyncpg.InterfaceError)
        assert issubclass(PoolBusy, TimeoutError)
        for wait in waits[:1]:
            wait.cancel()
            await asyncio.wait([wait])
        if most:
            replaced = asyncio.create_task(pool.fetchval("select 1"))
            await asyncio.sleep(0)
            assert not replaced.done(), "one gave up, so there is room for another"
            waits[0] = replaced
        await pool.release(lent)
        assert await asyncio.gather(*waits) == [1] * most
        assert await pool.fetchval("select 1") == 1


@KINDS
async def test_a_connection_that_is_to_be_opened_is_no_queue(dsn: str, kind: str) -> None:
    async with made(dsn, kind, min_size=0, max_size=3, max_waiting=0) as pool:
        lent = [await pool.acquire() for _ in range(3)]
        with pytest.raises(PoolBusy):
            await pool.acquire()
        for one in lent:
            await pool.release(one)
