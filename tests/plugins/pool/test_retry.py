"""A whole transaction runs again where the database says that it may, and nowhere else: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolBusy, PoolPlugin, create_pool, retry
from galvo_pool.retry import Budget

pytestmark = pytest.mark.anyio
SCHEMA = "create table t(id int primary key, n int not null); insert into t values (1, 0), (2, 0)"
ADD = "update t set n = n + 1 where id = $1"
SUM = "select sum(n) from t"
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Source:
    """What transactions run on, and a plain connection beside it."""

    def __init__(self, source: Any, other: asyncpg.Connection) -> None:
        self.source, self.other = source, other
        self.budget = Budget()

    async def transact(self, work: Callable[[Any], Any], **options: Any) -> Any:
        return await retry.transact(self.source, work, **{"budget": self.budget, **options})

    async def end(self, connection: Any) -> None:
        """An administrator ends the backend of `connection`."""
        await self.other.execute("select pg_terminate_backend($1, 10000)", await backend(connection))


async def backend(connection: Any) -> int:
    return int(await connection.fetchval("select pg_backend_pid()"))


@asynccontextmanager
async def sources(kind: str, dsn: str) -> AsyncIterator[Source]:
    other = await asyncpg.connect(dsn)
    await other.execute(SCHEMA)
    try:
        if kind == "kernel":
            async with Kernel.of({CachePlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 4}}) as kernel:
                yield Source(kernel, other)
        else:
            chain = Kernel.of({CachePlugin: {}, PoolPlugin: {}}) if kind == "chained" else None
            async with create_pool(dsn, kernel=chain, min_size=1, max_size=4) as pool:
                yield Source(pool, other)
    finally:
        await other.close()


@pytest.fixture(params=["kernel", "chained", "plain"])
async def source(request: pytest.FixtureRequest, dsn: str) -> AsyncIterator[Source]:
    async with sources(request.param, dsn) as found:
        yield found


async def test_two_that_wait_for_each_other(source: Source) -> None:
    runs, both = [0, 0], asyncio.Barrier(2)

    async def work(connection: Any, which: int) -> int:
        runs[which] += 1
        await connection.execute(ADD, 1 + which)
        if runs[which] == 1:
            await both.wait()
        await connection.execute(ADD, 2 - which)
        return which

    calls = (source.transact(lambda connection, n=n: work(connection, n)) for n in (0, 1))
    assert await asyncio.gather(*calls) == [0, 1]
    assert sorted(runs) == [1, 2], "the server ended one of them, which ran again"
    assert await source.other.fetch("select n from t order by id") == [(2,), (2,)]


@pytest.mark.parametrize("isolation", ["serializable", "repeatable_read"])
async def test_all_that_read_what_another_one_wrote_run_again(source: Source, isolation: Any) -> None:
    """Without isolation both would add to the same number, and one be lost."""
    runs, both = 0, asyncio.Barrier(2)

    async def work(connection: Any) -> None:
        nonlocal runs
        runs += 1
        found = await connection.fetchval("select n from t where id = 1")
        if runs <= 2:
            await both.wait()
        await connection.execute("update t set n = $1 where id = 1", found + 1)

    await asyncio.gather(*(source.transact(work, isolation=isolation) for _ in range(2)))
    assert runs == 3
    assert await source.other.fetchval("select n from t where id = 1") == 2


async def test_a_failure_that_comes_with_commit(source: Source) -> None:
    """Write skew: each reads what the other one writes, and only COMMIT can tell."""
    runs, both, second = 0, asyncio.Barrier(2), asyncio.Event()

    async def work(connection: Any, which: int) -> None:
        nonlocal runs
        runs += 1
        first_run = runs <= 2
        found = await connection.fetchval(SUM)
        await connection.execute("update t set n = $2 where id = $1", 1 + which, found + 1)
        if first_run:
            await both.wait()
            if which:
                await second.wait()  # it commits after the other one

    async def one() -> None:
        await source.transact(lambda connection: work(connection, 0), isolation="serializable")
        second.set()

    await asyncio.gather(one(), source.transact(lambda connection: work(connection, 1), isolation="serializable"))
    assert runs == 3
    assert await source.other.fetch("select n from t order by id") == [(1,), (2,)]


async def test_many_that_stand_in_each_others_way(source: Source) -> None:
    source.budget = Budget(share=20, most=1000)

    async def work(connection: Any) -> None:
        found = await connection.fetchval("select n from t where id = 1")
        await connection.execute("update t set n = $1 where id = 1", found + 1)

    async def one() -> None:
        await source.transact(work, isolation="serializable", attempts=100)

    await asyncio.gather(*(one() for _ in range(12)))
    assert await source.other.fetchval("select n from t where id = 1") == 12


@pytest.mark.parametrize("moment", ["before a statement", "in a statement", "unnoticed before COMMIT"])
async def test_a_connection_that_is_lost_before_commit(source: Source, moment: str) -> None:
    runs = 0

    async def work(connection: Any) -> str:
        nonlocal runs
        runs += 1
        await connection.execute(ADD, 1)
        if runs == 1:
            if moment == "in a statement":
                await connection.fetchval("select pg_terminate_backend(pg_backend_pid())")
            await source.end(connection)
            if moment == "before a statement":
                await connection.execute(ADD, 2)
        return "done"

    if moment == "unnoticed before COMMIT":
        assert await source.transact(ended_and_noticed(work)) == "done"
    else:
        assert await source.transact(work) == "done"
    assert runs == 2
    assert await source.other.fetchval(SUM) == 1


def ended_and_noticed(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`work`, and then the loop turns until our side knows as well: COMMIT is not even sent."""

    async def done(connection: Any) -> Any:
        result = await work(connection)
        with anyio.move_on_after(0.2):
            while connection.is_in_transaction():  # noqa: ASYNC110  # nothing tells
                await anyio.sleep(0.005)
        return result

    return done


class Dies:
    """A source whose connections end when they are told to commit, `before` or after the server has done so."""

    def __init__(self, source: Source, before: bool) -> None:
        self.source, self.before, self.left = source, before, 1

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self.source.source.acquire() as connection:
            yield Dying(self, connection)


class Dying:
    def __init__(self, dies: Dies, connection: Any) -> None:
        self.dies, self.connection = dies, connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def transaction(self, **options: Any) -> Any:
        found, commit = self.connection.transaction(**options), self._commit

        class Dying:
            start, rollback = found.start, found.rollback

            async def commit(self) -> None:
                await commit(found)

        return Dying()

    async def _commit(self, transaction: Any) -> None:
        if not self.dies.left:
            await transaction.commit()
            return
        self.dies.left -= 1
        if not self.dies.before:
            await transaction.commit()
            await self.connection.fetch("select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)")
        await self.connection.execute("create function pg_temp.end() returns trigger language plpgsql as "
            "$$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return null; end $$;"
            "create constraint trigger dies after update on t deferrable initially deferred for each row "
            "execute function pg_temp.end(); update t set n = n where id = 2")  # fmt: skip
        await transaction.commit()


@pytest.mark.parametrize("before", [True, False])
async def test_a_connection_that_is_lost_with_commit_is_the_callers_matter(source: Source, before: bool) -> None:
    runs = 0

    async def work(connection: Any) -> None:
        nonlocal runs
        runs += 1
        await connection.execute(ADD, 1)

    with pytest.raises(LOST):
        await retry.transact(Dies(source, before), work, budget=Budget())
    assert runs == 1, "it may have taken effect"
    assert await source.other.fetchval(SUM) == (0 if before else 1)


async def test_what_only_reads_is_safe_to_run_again_even_then(source: Source) -> None:
    runs = 0

    async def work(connection: Any) -> int:
        nonlocal runs
        runs += 1
        return int(await connection.fetchval(SUM))

    assert await retry.transact(Dies(source, False), work, readonly=True, budget=Budget()) == 0
    assert runs == 2
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await source.transact(lambda connection: connection.execute(ADD, 1), readonly=True)


ERRORS = [
    ZeroDivisionError("mine"), FileNotFoundError(2, "mine"), ConnectionResetError("another server's"), TimeoutError(),
    asyncpg.UniqueViolationError("mine"), asyncpg.InterfaceError("mine"), asyncio.CancelledError(),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_of_the_work_itself_ends_it(source: Source, error: BaseException) -> None:
    runs = 0

    async def work(connection: Any) -> None:
        nonlocal runs
        runs += 1
        await connection.execute(ADD, 1)
        raise error

    with pytest.raises(type(error)) as caught:
        await source.transact(work)
    assert caught.value is error
    assert runs == 1
    assert await source.other.fetchval(SUM) == 0


async def test_a_statement_that_takes_too_long_is_not_run_again(source: Source) -> None:
    runs = 0

    async def work(connection: Any) -> None:
        nonlocal runs
        runs += 1
        await connection.fetch("select pg_sleep(20)", timeout=0.05)

    with pytest.raises(TimeoutError):
        await source.transact(work)
    assert runs == 1


async def test_a_wait_that_was_too_long_is_not_begun_again(dsn: str) -> None:
    """The pool sheds load; whoever was turned away is not to stand in line again at once."""
    budget = Budget()
    made = create_pool(dsn, kernel=None, min_size=1, max_size=1, acquire_timeout=0.05, max_waiting=1)
    async with made as pool, pool.acquire():
        waits = (retry.transact(pool, backend, budget=budget) for _ in range(2))
        told = await asyncio.gather(*waits, return_exceptions=True)
        assert {type(error) for error in told} == {PoolBusy, TimeoutError}
    assert budget._saved == budget.most, "nothing was retried"


@pytest.mark.parametrize("attempts", [1, 3])
async def test_the_last_error_is_raised_when_the_attempts_are_used_up(source: Source, attempts: int) -> None:
    runs = 0

    async def work(connection: Any) -> None:
        nonlocal runs
        runs += 1
        await connection.execute(ADD, 1)
        await connection.execute(f"do $$ begin raise exception 'no {runs}' using errcode = '40001'; end $$")

    with pytest.raises(asyncpg.SerializationError, match=f"no {attempts}"):
        await source.transact(work, attempts=attempts)
    assert runs == attempts
    assert await source.other.fetchval(SUM) == 0
    with pytest.raises(ValueError, match="attempts is at least 1, not 0"):
        await source.transact(work, attempts=0)


async def test_a_budget_that_is_used_up_ends_it(dsn: str) -> None:
    async with create_pool(dsn, kernel=None, min_size=1, max_size=1) as pool:
        runs = 0
        pool.budget = Budget(share=0.5, most=3)

        async def work(connection: Any) -> None:
            nonlocal runs
            runs += 1
            await connection.execute("do $$ begin raise exception 'no' using errcode = '40P01'; end $$")

        with pytest.raises(asyncpg.DeadlockDetectedError):
            await pool.transact(work)
        assert runs == 4, "three were saved up"
        for expected in (5, 7):
            with pytest.raises(asyncpg.DeadlockDetectedError):
                await pool.transact(work)
            assert runs == expected, "one retry for two calls"


async def test_the_pauses_grow_and_end_at_a_second(monkeypatch: pytest.MonkeyPatch, source: Source) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float, *args: Any) -> Any:
        if seconds:
            pauses.append(seconds)
        return await sleep(0, *args)

    async def work(connection: Any) -> None:
        await connection.execute("do $$ begin raise exception 'no' using errcode = '40001'; end $$")

    monkeypatch.setattr(retry.asyncio, "sleep", noted)  # type: ignore[attr-defined]
    budget, most = Budget(most=100), random.Random()
    most.uniform = lambda low, high: high  # type: ignore[method-assign]
    with pytest.raises(asyncpg.SerializationError):
        await source.transact(work, attempts=8, budget=budget, rng=most)
    found = [pause for pause in pauses if pause >= retry.SHORTEST]
    assert found[:6] == pytest.approx([0.03, 0.09, 0.27, 0.81, 1.0, 1.0])
