"""A listener that loses its connection says so, comes back, and says so again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import asyncpg
import pytest

from galvo import Kernel
from galvo_cache.external import Announced, Listener
from galvo_pool import PoolPlugin
from tests.plugins.cache.external.outside import connected, listening, oid, until, watch

pytestmark = pytest.mark.anyio

ITEM = "create table item(id int)"
KILL = "select pg_terminate_backend($1, 10000)"


async def test_the_first_listening_is_a_doubt_too(dsn: str) -> None:
    async with listening(dsn) as (ear, _):
        assert ear.doubts == [False], "what was written before was not heard; asked before `listening` holds"


async def test_a_killed_backend_is_doubted_twice_and_replaced(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "galvo.cache")
    async with listening(dsn, beat=600) as (ear, other):
        await other.execute(ITEM)
        await watch(other, "item")
        for round in range(1, 4):
            ear.doubts.clear()
            await other.execute(KILL, ear.opened[-1].get_server_pid())
            await until(lambda: len(ear.doubts) == 2 and ear.listener.listening)
            assert ear.doubts == [False, False]
            assert len(ear.opened) == round + 1
            await other.execute("insert into item values (1)")
            assert await ear.heard() == {"item": 1}
    told = [record.message for record in caplog.records if record.name == "galvo.cache"]
    assert len(told) == 6
    assert told[0].startswith("not listening for outside writes, trying again: ")
    assert told[1] == "listening for outside writes again"


async def test_while_nothing_can_be_reached_there_is_one_doubt(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(ITEM)
        await watch(other, "item")
        attempts, open_again, ear.connect = 0, asyncio.Event(), ear.connect

        async def refused() -> asyncpg.Connection:
            nonlocal attempts
            attempts += 1
            if open_again.is_set():
                return await ear.connect()
            raise OSError("not now")

        ear.listener._connect = refused
        ear.doubts.clear()
        await other.execute(KILL, ear.opened[-1].get_server_pid())
        await until(lambda: attempts > 3)
        assert ear.doubts == [False]
        assert not ear.listener.listening
        await other.execute("insert into item values (1)")  # nobody hears
        open_again.set()
        await until(lambda: ear.listener.listening)
        assert ear.doubts == [False, False]
        assert not await ear.heard(), "that is what the second doubt is for"


class Between:
    """Forwards bytes between the client and the server's socket; can fall silent, and can lie about the pid."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self._socket = dsn.partition("host=")[2].partition("&")[0] + "/.s.PGSQL.5432"
        self.dsn = dsn.replace(self._socket.rpartition("/")[0], str(folder))
        self._path = folder / ".s.PGSQL.5432"
        self.speaks = asyncio.Event()
        self.speaks.set()
        self.lies = False
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Between]:
        server = await asyncio.start_unix_server(self._serve, self._path)
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            for writer in self._writers:
                with suppress(OSError):
                    await writer.wait_closed()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(self._socket)
        self._writers += [writer, to_writer]
        with suppress(OSError):
            await asyncio.gather(self._forward(reader, to_writer), self._forward(to_reader, writer))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.speaks.wait()
            at = data.find(b"K\0\0\0\x0c")  # BackendKeyData: pid and key, of which a pooler makes its own
            if self.lies and at >= 0:
                data = data[: at + 5] + b"\x7f\0\0\x01" + data[at + 9 :]
            writer.write(data)
            await writer.drain()
        writer.close()


async def test_a_silent_connection_is_noticed_by_the_heartbeat(dsn: str, folder: Path) -> None:
    async with (
        Between(dsn, folder).open() as between,
        listening(between.dsn, beat=0.05, timeout=0.3) as (ear, _),
        connected(dsn) as other,
    ):
        await other.execute(ITEM)
        await watch(other, "item")
        ear.doubts.clear()
        between.speaks.clear()
        await other.execute("insert into item values (1)")
        await until(lambda: ear.doubts)
        assert not ear.listener.listening
        between.speaks.set()
        await until(lambda: ear.listener.listening)
        assert ear.doubts == [False, False]


async def test_a_pooler_in_between_is_not_trusted(dsn: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Behind transaction pooling LISTEN succeeds and nothing is ever heard."""
    async with Between(dsn, folder).open() as between, anyio.create_task_group() as tasks:
        doubts: list[int] = []
        attempts = 0
        between.lies = True

        async def connect() -> asyncpg.Connection:
            nonlocal attempts
            attempts += 1
            return await asyncpg.connect(between.dsn)

        listener = Listener(connect, doubts.append, lambda: doubts.append(0), retry=0.01)
        tasks.start_soon(listener.run)
        await until(lambda: attempts > 2)
        assert not listener.listening
        assert not doubts, "it never listened, so nothing has changed"
        between.lies = False
        await until(lambda: listener.listening)
        tasks.cancel_scope.cancel()
    assert "a connection pooler is in between" in caplog.text
    assert caplog.text.count("not listening") == 1


async def test_strange_notifications_are_ignored(dsn: str) -> None:
    async with listening(dsn) as (ear, other):
        for payload in ("", "x", "-1", "1_0", "٣", "0", "1" * 11, "9" * 7000, "16384; drop table item", "1.5", " 7"):
            await other.execute("select pg_notify('galvo_write', $1)", payload)
        await other.execute("notify galvo_writes, '7'; notify other, '8'; notify galvo_write, '9'")
        await ear.heard()
        assert ear.listener.listening
        assert ear.listener.ignored == 12
        assert ear.listener.heard == 13


async def test_a_write_that_cannot_be_acted_upon_is_a_doubt(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(dsn) as (ear, other):
        await other.execute(ITEM)
        await watch(other, "item")

        def fails(table: int) -> None:
            raise RuntimeError(table)

        ear.listener._on_write = fails
        ear.doubts.clear()
        await other.execute("insert into item values (1)")
        await ear.heard()
        assert ear.doubts == [True]
        assert ear.listener.listening
    assert "an outside write could not be acted upon" in caplog.text


async def test_own_writes_are_known_if_they_were_announced(dsn: str) -> None:
    """The pool's own connections notify as well; what they wrote unannounced is heard like anybody's."""
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        pool, announced = kernel.find_capability("pool"), Announced()
        known = lambda pid, table: announced(table) and pid in pool.pids()  # noqa: E731
        async with listening(dsn, known=known) as (ear, other):
            await other.execute("create table item(id int); create table free(id int)")
            await watch(other, "item", "free")
            announced.note([await oid(other, "item")])
            await kernel.execute("insert into item values (1); insert into free values (1)")
            assert await ear.heard() == {"free": 1}
            await other.execute("insert into item values (1)")
            assert await ear.heard() == {"item": 1}


async def test_it_leaves_no_connection_behind(dsn: str) -> None:
    async with connected(dsn) as watcher:
        async with listening(dsn) as (ear, other):
            await other.execute(KILL, ear.opened[-1].get_server_pid())
            await until(lambda: len(ear.opened) == 2 and ear.listener.listening)
        assert not ear.listener.listening
        assert all(connection.is_closed() for connection in ear.opened)
        sql = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        with anyio.fail_after(10):
            while await watcher.fetchval(sql):
                pass
