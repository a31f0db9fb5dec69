"""Whatever is cancelled, times out or ends too early: every connection comes back, clean."""

from __future__ import annotations

import asyncio
from random import Random

import anyio
import asyncpg
import pytest

from galvo import Kernel, KernelClosed, is_open
from galvo_pool import PoolPlugin
from galvo_pool.connection import finish

pytestmark = pytest.mark.anyio
MAX = 4


def pooled(dsn: str, **settings: object) -> Kernel:
    return Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": MAX, **settings}})


async def backends(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        ours = "application_name like 'galvo%' and datname = current_database()"
        return int(await connection.fetchval(f"select count(*) from pg_stat_activity where {ours}"))
    finally:
        await connection.close()


async def test_two_thousand_random_cancellations(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        await kernel.execute("create table t(id int primary key, n int); insert into t values (1, 0), (2, 0)")
        chance = Random(2000)
        ended = {"cancelled": 0, "done": 0}

        async def work(kind: int) -> None:
            if kind == 0:
                await kernel.fetchval("select n from t where id = $1", 1)
            elif kind == 1:
                await kernel.execute("update t set n = n + 1 where id = 1")
            elif kind == 2:
                async with kernel.transaction() as session:
                    await session.execute("update t set n = n + 1 where id = 2")
                    async with session.transaction():
                        await session.fetch("select * from t")
            elif kind == 3:
                async with kernel.acquire() as session:
                    await session.fetch("select 1")
                    await session.execute("set search_path = nowhere")
            elif kind == 4:
                await kernel.executemany("update t set n = $1 where id = $2", [(1, 1), (2, 2)])
            else:
                with anyio.move_on_after(chance.random() * 0.003):
                    await kernel.fetch("select pg_sleep(0.01)")

        async def one() -> None:
            task = asyncio.create_task(work(chance.randrange(6)))
            for _ in range(chance.choice([1, 1, 2, 3])):
                for _ in range(chance.randrange(12)):
                    await asyncio.sleep(0)
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.random() * 0.003)
                task.cancel()
            try:
                await task
                ended["done"] += 1
            except asyncio.CancelledError:
                ended["cancelled"] += 1

        async def client() -> None:
            for _ in range(250):
                await one()

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(client)
        assert sum(ended.values()) == 2000
        assert ended["cancelled"] > 1000
        assert ended["done"] > 20, "some must not have been cut, or nothing was tested"
        assert kernel.plugin_stats("pool")["lent"] == 0
        assert await backends(dsn) <= MAX
        values = await asyncio.gather(*(kernel.fetchval("select current_setting('search_path')") for _ in range(20)))
        assert set(values) == {'"$user", public'}
        async with kernel.transaction() as session:
            await session.execute("update t set n = 5 where id = 1")
        assert await kernel.fetchval("select n from t where id = 1") == 5
        idle = "select count(*) from pg_stat_activity where state like 'idle in%' and datname = current_database()"
        assert await kernel.fetchval(idle) == 0
    assert await backends(dsn) == 0


async def test_a_cancelled_statement_has_ended_when_the_caller_knows(dsn: str) -> None:
    """By asyncio or by anyio, on a borrowed connection or a session's: then its outcome is not open."""
    async with pooled(dsn) as kernel:
        other = await asyncpg.connect(dsn)
        await kernel.execute("create table t(id int); insert into t values (1)")
        running = "select count(*) from pg_stat_activity where query like 'update t%' and state = 'active'"
        await other.execute("begin; lock t")

        async def on_session() -> None:
            async with kernel.acquire() as session:
                await session.execute("update t set id = 2")

        watch = await asyncpg.connect(dsn)
        for start in (lambda: kernel.execute("update t set id = 2"), on_session):
            for twice in (False, True):
                task = asyncio.ensure_future(start())
                with anyio.fail_after(10):
                    while not await watch.fetchval(running):
                        pass
                task.cancel()
                if twice:
                    await asyncio.sleep(0)
                    task.cancel()
                with pytest.raises(asyncio.CancelledError) as caught:
                    await task
                assert await watch.fetchval(running) == 0
                assert not is_open(caught.value)
            with anyio.move_on_after(0.05) as scope:
                await start()
            assert scope.cancelled_caught
            assert await watch.fetchval(running) == 0
        async with kernel.acquire() as session:
            with pytest.raises(TimeoutError):
                await session.execute("update t set id = 2", timeout=0.05)
            assert await watch.fetchval(running) == 0, "before the session ends, too"
        await other.execute("rollback")
        assert await kernel.fetchval("select id from t") == 1
        assert kernel.plugin_stats("pool")["lent"] == 0
        await other.close()
        await watch.close()


async def test_a_lost_connection_leaves_the_outcome_open(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        await kernel.execute("create table t(id int)")
        other = await asyncpg.connect(dsn)
        kill = """select pg_terminate_backend(pid) from pg_stat_activity
                  where query like 'insert into t%' and datname = current_database()"""
        await other.execute("begin; lock t")
        watch = await asyncpg.connect(dsn)

        async def on_session() -> None:
            async with kernel.acquire() as session:
                await session.execute("insert into t values (1)")

        for start in (lambda: kernel.execute("insert into t values (1)"), on_session):
            task = asyncio.ensure_future(start())
            with anyio.fail_after(10):
                while not await watch.fetch(kill):
                    pass
            with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)) as caught:
                await task
            assert is_open(caught.value)
        await other.execute("rollback")
        assert kernel.plugin_stats("pool")["lent"] == 0
        assert await kernel.fetchval("select count(*) from t") == 0
        await other.close()
        await watch.close()


async def test_waiting_too_long_for_a_connection(dsn: str) -> None:
    async with pooled(dsn, max_size=1, acquire_timeout=0.05) as kernel:
        async with kernel.acquire() as session:
            await session.fetch("select 1")
            for _ in range(2):
                with pytest.raises(
                    TimeoutError,
                    match=r"^no connection became free within 0.05 s \(acquire_timeout\), and there are 1 "
                    r"\(max_size\): "
                    rf"they are with {__file__}:\d+ in test_waiting_too_long_for_a_connection for 0.\d s$",
                ) as caught:
                    await kernel.fetch("select 1")
                assert not is_open(caught.value)
        assert await kernel.fetchval("select 1") == 1
        assert kernel.plugin_stats("pool")["lent"] == 0


async def test_waiting_readers_get_the_connection_in_turn(dsn: str) -> None:
    async with pooled(dsn, max_size=1) as kernel:
        order: list[int] = []

        async def read(number: int) -> None:
            await kernel.fetch("select 1")
            order.append(number)

        async with kernel.acquire() as session:
            await session.fetch("select 1")
            tasks = []
            for number in range(10):
                tasks.append(asyncio.create_task(read(number)))
                await asyncio.sleep(0)
            tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == [0, 1, 2, 4, 5, 6, 7, 8, 9]


async def test_two_tasks_on_one_session(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        async with kernel.acquire() as session:
            outcomes = await asyncio.gather(
                session.fetchval("select pg_backend_pid()"),
                session.fetchval("select pg_backend_pid()"),
                session.fetchval("select pg_backend_pid()"),
                return_exceptions=True,
            )
            pids = {outcome for outcome in outcomes if isinstance(outcome, int)}
            errors = [outcome for outcome in outcomes if not isinstance(outcome, int)]
            assert len(pids) == 1, "never two connections for one session"
            assert {type(error) for error in errors} <= {asyncpg.InterfaceError}
            assert await session.fetchval("select pg_backend_pid()") in pids
        assert kernel.plugin_stats("pool")["lent"] == 0


async def test_a_session_after_its_end(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        async with kernel.acquire() as session:
            await session.fetch("select 1")
        for call in (session.fetch, session.fetchrow, session.fetchval, session.execute):
            with pytest.raises(KernelClosed, match="this session has ended"):
                await call("select 1")
        with pytest.raises(KernelClosed):
            async with session.transaction():
                pass
        async with kernel.acquire() as unused:
            pass
        assert unused.closed
        assert kernel.plugin_stats("pool")["lent"] == 0


async def test_a_session_that_ends_while_its_query_runs(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        async with kernel.acquire() as session:
            await session.fetch("select 1")
            task = asyncio.create_task(session.fetch("select pg_sleep(10)"))
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert kernel.plugin_stats("pool")["lent"] == 0
        assert await kernel.fetchval("select 1") == 1


async def test_a_session_that_ends_before_its_first_query_has_a_connection(dsn: str) -> None:
    async with pooled(dsn, max_size=1) as kernel:
        async with kernel.acquire() as busy:
            await busy.fetch("select 1")
            async with kernel.acquire() as session:
                task = asyncio.create_task(session.fetch("select 1"))
                await asyncio.sleep(0)
        with pytest.raises(KernelClosed):
            await task
        assert kernel.plugin_stats("pool")["lent"] == 0
        assert await kernel.fetchval("select 1") == 1


async def test_the_kernel_after_its_end(dsn: str) -> None:
    async with pooled(dsn) as kernel:
        assert await kernel.fetchval("select 1") == 1
        assert await backends(dsn) == 1
    for call in (kernel.fetch, kernel.execute):
        with pytest.raises(Exception, match=r"."):
            await call("select 1")
    assert await backends(dsn) == 0


async def test_finish_ends_its_work_and_then_lets_go() -> None:
    for cancels in (0, 1, 3):
        gate, ended = asyncio.Event(), []

        async def work(gate: asyncio.Event = gate, ended: list[int] = ended) -> str:
            await gate.wait()
            ended.append(1)
            return "done"

        task = asyncio.create_task(finish(work()))
        for _ in range(cancels):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        gate.set()
        if cancels:
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert await task == "done"
        assert ended == [1]


async def test_finish_does_not_spin_in_a_cancelled_scope() -> None:
    """anyio cancels anew at every turn of the loop, and the server may take its time."""

    async def work() -> None:
        await asyncio.sleep(0.05)

    wakes = 0
    shield = asyncio.shield

    def counted(task: asyncio.Future[None]) -> asyncio.Future[None]:
        nonlocal wakes
        wakes += 1
        return shield(task)

    with pytest.MonkeyPatch.context() as patch, anyio.CancelScope() as scope:
        patch.setattr(asyncio, "shield", counted)
        scope.cancel()
        await finish(work())
    assert wakes <= 3
