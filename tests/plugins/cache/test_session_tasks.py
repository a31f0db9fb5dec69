"""Sessions that two tasks use, that hold the pool's last connection, that lose it, or that outlive their pool."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.cache.situations.situation import VISITS, connected, two, until
from tests.plugins.cache.stand import ALL, JOBS, PRICE, RAISE

pytestmark = pytest.mark.anyio

AT = "select at::text from visit"
TOKYO = "set timezone = 'Asia/Tokyo'"
BUSY = "select now()"
"""Never kept, so it gives the session a connection."""


# -- two tasks, one session --------------------------------------------------------------------------


@pytest.mark.parametrize("order", [TOKYO, f"do $$begin {TOKYO}; end$$"])
async def test_the_state_is_asked_for_while_it_changes(dsn: str, order: str) -> None:
    """The change waits before the connection, the question overtakes it."""
    async with two(dsn, VISITS, max_size=2) as s:
        await s.kept(AT)
        async with s.session(BUSY) as pair:
            stop = s.gate.stop(order)
            changing = asyncio.create_task(pair.session.execute(order))
            await stop.reached.wait()
            await pair.session.fetch(AT)
            stop.go.set()
            await changing
            await pair.twin.execute(order)
            await pair.right(AT)


async def test_the_state_changes_while_it_is_asked_for(dsn: str) -> None:
    """The answer to the question waits behind the connection, the change overtakes it."""
    async with two(dsn, VISITS, max_size=2) as s:
        await s.kept(AT)
        async with s.session(BUSY, "set timezone = 'UTC'") as pair:
            stop = s.gate.stop("current_schemas", after=True)
            reading = asyncio.create_task(pair.session.fetch(AT))
            await stop.reached.wait()
            await pair.both(TOKYO)
            stop.go.set()
            await reading
            await pair.right(AT)
        await s.right(AT)


async def test_a_read_is_overtaken_by_set(dsn: str) -> None:
    """It is read in another state than it was planned for."""
    async with two(dsn, VISITS, max_size=2) as s, s.kernel.acquire() as session:
        await session.fetch(BUSY)
        await s.kept("select id from visit")
        stop = s.gate.stop(AT)
        reading = asyncio.create_task(session.fetch(AT))
        await stop.reached.wait()
        joined = asyncio.create_task(s.kernel.fetch(AT))
        await session.execute(TOKYO)
        stop.go.set()
        assert await reading != await joined
        await s.right(AT)


async def test_a_read_is_overtaken_by_a_transaction(dsn: str) -> None:
    """It sees what is not committed, and nobody else may."""
    async with two(dsn, VISITS, max_size=3) as s, s.kernel.acquire() as session:
        await session.fetch(BUSY)
        await s.kept(ALL)
        stop = s.gate.stop(PRICE)
        reading = asyncio.create_task(session.fetch(PRICE, 1))
        await stop.reached.wait()
        transaction = session.transaction()
        await transaction.start()
        await session.execute(RAISE, 1)
        stop.go.set()
        assert (await reading)[0][0] == await s.truth(PRICE, 1) + 1
        await s.right(PRICE, 1)
        await transaction.rollback()
        await s.right(PRICE, 1)


async def test_a_first_read_is_overtaken_by_set(dsn: str) -> None:
    """The session has no connection yet, and waits for what another reads."""
    async with two(dsn, VISITS, max_size=3) as s, s.kernel.acquire() as session:
        await s.kept("select id from visit")
        stop = s.gate.stop(AT)
        leading = asyncio.create_task(s.kernel.fetch(AT))
        await stop.reached.wait()
        reading = asyncio.create_task(session.fetch(AT))
        await anyio.wait_all_tasks_blocked()
        await session.execute(TOKYO)
        await s.write("update visit set note = note")
        leading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leading
        await reading
        await s.right(AT)


async def test_two_tasks_begin_with_one_session(dsn: str) -> None:
    async def tried(work: Awaitable[Any]) -> None:
        with contextlib.suppress(asyncpg.InterfaceError):  # another operation is in progress
            await work

    async with two(dsn, VISITS, max_size=3) as s:
        await s.kept(AT)
        for _ in range(10):
            async with s.session() as pair:
                work = pair.session
                await asyncio.gather(tried(work.fetch(AT)), tried(work.execute(TOKYO)), tried(work.fetch(AT)))
                zone = await work.fetchval("show timezone")
                await pair.twin.execute(f"set timezone = '{zone}'")
                await pair.right(AT)


# -- the pool's last connection ----------------------------------------------------------------------


async def test_the_catalog_is_lost_while_a_session_asks(dsn: str) -> None:
    """All connections are lent: who holds one must not wait for the catalog on another."""
    async with (
        two(dsn, VISITS, max_size=2, acquire_timeout=60) as s,
        s.kernel.acquire() as session,
        s.kernel.acquire() as other,
    ):
        await other.fetch(BUSY)
        await s.kept(AT)
        await session.execute(TOKYO)
        stop = s.gate.stop("current_schemas", after=True)
        reading = asyncio.create_task(session.fetch(AT))
        await stop.reached.wait()
        await other.execute("create table fresh(id int)")
        stop.go.set()
        with anyio.fail_after(10):
            assert (await reading)[0]["at"].endswith("+09")


@pytest.mark.parametrize("size", [1, 2])
async def test_sessions_and_others_read_the_same(dsn: str, size: int) -> None:
    """Whoever holds a connection waits for nobody who may need it."""
    async with two(dsn, VISITS, min_size=1, max_size=size, acquire_timeout=60) as s:
        await s.kept(JOBS)

        async def in_session(order: str) -> None:
            async with s.kernel.acquire() as session:
                await session.execute(order)
                for _ in range(5):
                    await session.fetch(AT)
                    await session.execute("update visit set note = note")
                    await session.fetch(PRICE, 1)

        async def alone() -> None:
            for _ in range(10):
                await s.kernel.fetch(AT)
                await s.write(RAISE, 2)
                await s.kernel.fetch(PRICE, 1)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for order in (TOKYO, "set timezone = 'UTC'", "select 1", "create temp table t(id int)"):
                    tasks.start_soon(in_session, order)
                    tasks.start_soon(alone)
        assert s["pending"] == 0

        async def idle() -> bool:
            return s.kernel.plugin_stats("pool")["lent"] == 0  # the cache itself may be asking something

        await until(idle)
        await s.right(AT)


# -- time and loss -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def held(admin: Any) -> AsyncIterator[None]:
    """Holds up the question, and no statement that the server has seen before.

    Until the end of the block: sessions that wait for the lock could not even be closed.
    """
    await admin.execute("begin; lock pg_catalog.pg_type in access exclusive mode")
    try:
        yield
    finally:
        await admin.execute("rollback")


async def test_the_timeout_is_for_the_question_too(dsn: str) -> None:
    async with two(dsn, VISITS) as s:
        await s.kept(AT)
        async with s.session(BUSY) as pair:
            for zone in ("Asia/Tokyo", "Asia/Seoul", "Asia/Dili", "Asia/Jayapura"):  # all at the same hour
                await pair.right(AT)
                await pair.both(f"set timezone = '{zone}'")
                # Now and then the server looks the statement's own types up again, and is held up as well.
                async with held(s.admin):
                    with contextlib.suppress(TimeoutError), anyio.fail_after(10):
                        assert await pair.session.fetch(AT, timeout=0.5) == await pair.twin.fetch(AT)
                        break
            else:
                pytest.fail("no answer in time")
            await pair.kept(AT)


async def test_the_connection_is_lost_by_the_question(dsn: str) -> None:
    """The server says why only once."""
    async with two(dsn, VISITS) as s:
        await s.kept(AT)
        async with s.session() as pair:
            pid = await pair.session.fetchval("select pg_backend_pid()")
            await pair.session.execute(TOKYO)
            waiting = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
            await s.other.fetchval(waiting, pid)  # prepared, it is not held up itself
            async with held(s.admin):
                reading = asyncio.create_task(pair.session.fetch(AT))

                async def waits() -> bool:
                    return bool(await s.other.fetchval(waiting, pid))

                await until(waits)
                await s.admin.execute(f"select pg_terminate_backend({pid})")
                lost = await error_of(reading)
            assert lost is asyncpg.ConnectionDoesNotExistError
        assert s.kernel.plugins()[0]["faults"] == 0


async def test_the_question_is_one_question(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncpg must not ask the server for the types of its answer."""

    async def introspect(*_: Any) -> None:
        raise AssertionError("unknown types")

    async with two(dsn, VISITS) as s, s.session(TOKYO) as pair:
        await s.kept(AT)
        monkeypatch.setattr(asyncpg.Connection, "_introspect_types", introspect)
        await pair.kept(AT)


async def error_of(work: Awaitable[Any]) -> type[Exception]:
    try:
        await work
    except Exception as error:
        return type(error)
    raise AssertionError("no error")


@pytest.mark.parametrize(
    "orders",
    [(TOKYO,), ("begin", "insert into log values (default)"), (BUSY,)],
    ids=["set", "in a transaction", "idle"],
)
async def test_a_lost_connection_says_so(dsn: str, orders: tuple[str, ...]) -> None:
    """As asyncpg's does, and it is no fault of the cache."""
    async with two(dsn, VISITS, max_size=2) as s:
        await s.kept(AT)
        async with s.session(*orders) as pair:
            for who in (pair.session, pair.twin):
                pid = await who.fetchval("select pg_backend_pid()")
                await s.admin.execute("select pg_terminate_backend($1, 10000)", pid)
            raw = pair.session.pin._raw  # type: ignore[union-attr]

            async def noticed() -> bool:
                return bool(raw.is_closed() and pair.twin.is_closed())

            await until(noticed)
            for sql in (AT.replace("at::", "took::"), AT, AT, BUSY):
                assert await error_of(pair.session.fetch(sql)) is await error_of(pair.twin.fetch(sql)), sql
        assert s.kernel.plugins()[0]["faults"] == 0
        await s.right(AT)


async def test_a_cancelled_question(dsn: str) -> None:
    """The session is as it was."""
    async with two(dsn, VISITS) as s:
        await s.kept(AT)
        async with s.session(TOKYO) as pair:
            stop = s.gate.stop("current_schemas")
            reading = asyncio.create_task(pair.session.fetch(AT))
            await stop.reached.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await pair.kept(AT)


# -- another pool ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [BUSY, AT, "set timezone = 'Asia/Tokyo'; reset timezone"])
async def test_a_session_outlives_its_pool(dsn: str, order: str) -> None:
    """The new pool may lead to another database; what an old connection reads and writes is not its."""
    setup = "create table note(id int); create schema other; create table other.note(id int);"
    asked, written = "select count(*) from note", "insert into note values (1)"
    async with two(dsn, VISITS + setup) as s:
        for sql in (AT, asked):
            await s.kept(sql)
        settings = {"timezone": "Asia/Tokyo", "search_path": "other, public"}
        plan = Kernel.of({CachePlugin: {}, PoolPlugin: {"url": s.dsn, "server_settings": settings}})
        pool = [unit.blueprint for unit in plan.supervisor.units.values() if unit.name == "pool"]
        rest = [unit.blueprint for unit in s.kernel.supervisor.units.values() if unit.name != "pool"]
        async with connected(s.dsn, **settings) as new, s.kernel.acquire() as session:
            await session.execute(order)
            loading = asyncio.create_task(s.kernel.supervisor.reload([*rest, *pool]))

            async def arrived() -> bool:
                return bool(await s.kernel.fetchval("show timezone") == "Asia/Tokyo")

            await until(arrived)
            old, s.other = s.other, new
            for _ in range(2):
                for sql in (AT, asked):
                    await s.kept(sql)
                    for _ in range(3):
                        assert await session.fetch(sql) == await old.fetch(sql)
                await session.execute(written)
                await s.kept("select count(*) from public.note")
            await old.close()
            await session.execute("reset all")
            assert (await session.fetch(AT))[0]["at"].endswith("+00")
            await s.kept(AT)
            loaded = asyncio.ensure_future(loading)
            await session.close()
            await loaded
            await s.kept(AT)
