"""A connection that is lost makes what is kept doubtful, until another one has opened; one that is closed does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from galvo import is_open
from galvo_pool import fleet
from galvo_pool.connection import KEEPALIVE
from galvo_pool.identity import read_identity
from tests.plugins.pool.heard import LOST, PID, Heard, heard, until

pytestmark = pytest.mark.anyio


async def grown(found: Heard, size: int) -> None:
    """Have `size` connections open."""
    async with AsyncExitStack() as stack:
        for _ in range(size):
            session = await stack.enter_async_context(found.kernel.acquire())
            await session.fetch("select 1")
    found.plugin.told.clear()
    found.plugin.keep.clear()


async def test_a_lost_connection_is_doubt_until_another_one_opens(dsn: str, server_dsn: str) -> None:
    async with heard(dsn, min_size=2, max_size=2) as found:
        async with found.kernel.acquire() as session:
            pid = await session.fetchval(PID)
            (gone,) = found.pool.pids() - {pid}
            await found.open(False, server_dsn)
            found.plugin.told.clear()
            await found.end(gone)
            assert found.plugin.told == ["suspend"]
            for _ in range(3):
                assert await session.fetchval(PID) == pid, "the other one answers"
            assert found.plugin.keep[-1], "and is what it was"
            assert found.plugin.suspended
            await found.open(True, server_dsn)
            await until(lambda: not found.plugin.suspended)
        assert "reset" not in found.plugin.told
        assert found.stat("lost") == 1


async def test_the_callers_of_a_lost_connection_find_the_doubt(dsn: str) -> None:
    """Nobody who has seen the loss can still be served what was kept before."""
    async with heard(dsn) as found:

        async def sleep() -> bool:
            with pytest.raises(LOST):
                await found.kernel.fetch("select pg_sleep(60)")
            return found.plugin.suspended

        task = asyncio.ensure_future(sleep())
        sql = "select pid from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"
        while not (pid := await found.other.fetchval(sql)):
            pass
        await found.other.execute("select pg_terminate_backend($1, 10000)", pid)
        assert await task
        await until(lambda: not found.plugin.suspended)


async def test_all_at_once(dsn: str) -> None:
    async with heard(dsn, min_size=3, max_size=3) as found:
        for number in range(1, 6):
            await found.other.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name like 'galvo%'"
                " and datname = current_database()"
            )
            await until(lambda lost=3 * number: found.stat("lost") == lost)
            await until(lambda: not found.plugin.suspended and len(found.pool.pids()) == 3)
        assert "reset" not in found.plugin.told


async def test_an_identity_from_before_the_last_loss_proves_nothing(
    dsn: str, server_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again, on the same connection."""
    asked: list[Any] = []
    was_read, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: Any, *args: Any) -> bytes:
        asked.append(connection)
        value = await read_identity(connection, *args)
        was_read.set()
        await go_on.wait()
        return value

    async with heard(dsn, min_size=2, max_size=2) as found:
        one, another = found.pool.pids()
        monkeypatch.setattr(fleet, "read_identity", slow)
        await found.end(one)
        await was_read.wait()
        await found.open(False, server_dsn)  # there will be no other
        found.plugin.told.clear()
        await found.end(another)
        go_on.set()
        await until(lambda: not found.plugin.suspended)
        assert len(asked) == 2
        assert asked[0] is asked[1]
        assert found.plugin.told == ["suspend", "resume"]
        await found.open(True, server_dsn)


async def test_what_is_closed_on_purpose_is_no_doubt(dsn: str) -> None:
    async with heard(dsn, min_size=1, max_size=4) as found:
        await grown(found, 4)
        for holder in found.pool._pool()._holders:
            holder._max_inactive_time = 0.001
            holder._maybe_cancel_inactive_callback()
        async with AsyncExitStack() as stack:  # on their way back their time begins
            for _ in range(4):
                await (await stack.enter_async_context(found.kernel.acquire())).fetch("select 1")
        await until(lambda: found.stat("size") == 1)
        pid = await found.kernel.fetchval(PID)
        await found.pool._pool().expire_connections()
        assert await found.kernel.fetchval(PID) != pid
        sleeper = asyncio.ensure_future(found.kernel.fetch("select pg_sleep(60)"))
        await until(lambda: found.stat("lent") == 1)
        sleeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeper
        told, plugin = found.plugin.told, found.plugin
        assert found.stat("lost") == 0
    assert not {"suspend", "reset", "resume"} & {*told}
    assert not plugin.suspended


async def test_a_pool_that_takes_over_has_its_own_doubts(dsn: str, server_dsn: str) -> None:
    """The one before it was in doubt, and will not say when it no longer is."""
    async with heard(dsn, required=False) as found:
        await found.open(False, server_dsn)
        await found.end(next(iter(found.pool.pids())))
        assert found.plugin.suspended
        await found.kernel.disable("pool")
        await found.open(True, server_dsn)
        assert found.plugin.suspended
        await found.kernel.enable("pool")
        assert not found.plugin.suspended
        assert found.plugin.told[-2:] == ["reset", "resume"]


async def test_a_cache_that_joins_hears_of_the_doubt(dsn: str, server_dsn: str) -> None:
    async with heard(dsn) as found:
        await found.open(False, server_dsn)
        await found.end(next(iter(found.pool.pids())))
        await found.kernel.disable("heard")
        await found.kernel.enable("heard")
        assert found.plugin.told == ["suspend"]
        await found.open(True, server_dsn)
        await until(lambda: found.plugin.told == ["suspend", "resume"])


async def test_a_statement_that_cannot_be_sent_has_no_open_outcome(dsn: str) -> None:
    """COMMIT on a lost connection: the server has rolled back. COMMIT sent and lost: nobody knows."""
    async with heard(dsn, max_size=2) as found:
        for when in ("before", "while"):
            async with found.kernel.acquire() as session:
                await session.execute("begin")
                pid = await session.fetchval(PID)
                assert session.in_transaction
                if when == "before":
                    await found.end(pid)
                    assert not session.in_transaction
                    sql = "commit"
                else:
                    sql = f"select pg_terminate_backend({pid}); commit"
                with pytest.raises(LOST) as caught:
                    await session.execute(sql)
                assert is_open(caught.value) is (when == "while")
                assert not session.in_transaction
        assert found.stat("lent") == 0


@asynccontextmanager
async def tcp(dsn: str) -> AsyncIterator[tuple[str, asyncio.Server]]:
    """The DSN of a TCP port that leads to the server's socket."""
    path = parse_qs(urlsplit(dsn).query)["host"][0]
    copies: set[asyncio.Task[None]] = set()

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65536):
                target.write(chunk)
        finally:
            target.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection(f"{path}/.s.PGSQL.5432")
        copies.update({asyncio.ensure_future(copy(reader, there[1])), asyncio.ensure_future(copy(there[0], writer))})

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/{dsn.split('/')[3].split('?')[0]}?sslmode=disable", server
    finally:
        server.close()
        for task in copies:
            task.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def test_a_silent_connection_is_looked_after(dsn: str) -> None:
    async with tcp(dsn) as (url, _), heard(url) as found:
        connection = next(holder._con for holder in found.pool._pool()._holders if holder._con)
        own = connection._transport.get_extra_info("socket")
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        names = [name for name in KEEPALIVE if hasattr(socket, name)]
        assert names
        assert {name: own.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names} == {
            name: KEEPALIVE[name] for name in names
        }


async def test_a_cancel_request_that_finds_no_server_is_doubt(dsn: str) -> None:
    """asyncpg gives the connection up by itself then, as if it were on purpose."""
    async with tcp(dsn) as (url, server), heard(url) as found:
        server.close()  # who is connected stays so
        with pytest.raises(LOST):
            await found.kernel.fetch("select pg_sleep(60)", timeout=0.05)
        assert found.stat("lost") == 1
        assert found.plugin.suspended
