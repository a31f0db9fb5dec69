"""A pool that cannot open says why in one sentence, without the password, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo import Kernel, PluginError
from galvo_pool import PoolPlugin
from galvo_pool.failures import connect_failure, place

pytestmark = pytest.mark.anyio
PASSWORD = "correct-horse"


async def refused(url: str, **settings: Any) -> str:
    """Start a kernel on `url`; gives the sentence it fails with."""
    before = asyncio.all_tasks()
    with pytest.raises(PluginError) as caught:
        async with Kernel.of({PoolPlugin: {"url": url, "connect_timeout": 0.5, **settings}}):
            pytest.fail("it started")
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before, "something was left running"
    told = str(caught.value)
    everything = "".join(traceback.format_exception(caught.value))
    assert not any(piece in everything for piece in (PASSWORD, "correct", "horse")), everything
    assert "\n" not in told
    assert told.startswith("plugin 'pool': ")
    assert len(told) < 250
    return told.removeprefix("plugin 'pool': ")


@asynccontextmanager
async def listening(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await answer(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_nothing_listens() -> None:
    port = free_port()
    told = await refused(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/shop")
    change = "set url under [pool] (or GALVO_POOL__URL), or start the server"
    assert told == f"nothing listens at 127.0.0.1:{port}/shop: {change}"
    told = await refused(f"postgresql://me:{PASSWORD}@/shop?host=/nowhere/at/all")
    assert told.startswith("no server socket at /nowhere/at/all/shop")


async def test_a_server_that_stays_silent() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as port:
        told = await refused(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/shop")
        assert told.startswith(f"127.0.0.1:{port}/shop did not answer within connect_timeout")


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command\r\n", b"\0" * 100, b"\xff" * 100, b"SSH-2.0-x\r\n",
        b"S", b"N", b"", b"R\0\0\0\x08\0\0\0\x63", b"NR\0\0\0\x08\0\0\0\x63", b"NZ\0\0\0\x05I",
    ],
)  # fmt: skip
async def test_a_server_that_speaks_something_else(words: bytes) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(words)
        await writer.drain()

    async with listening(chatter) as port:
        url = f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/shop"
        for options in ("", "?sslmode=disable", "?sslmode=require"):
            if words.startswith(b"\0") and "disable" in options:
                continue  # asyncpg 0.32 spins for ever on zero bytes, and nobody can stop it
            told = await refused(url + options)
            assert f"127.0.0.1:{port}/shop" in told, told


async def test_a_wrong_password_user_or_database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    user = "locked_" + dsn.split("/")[3].split("?")[0]
    hba = Path(await connection.fetchval("show hba_file"))
    rules = await asyncio.to_thread(hba.read_text)
    await connection.execute(f"create role {user} login password 'right'")
    try:
        await asyncio.to_thread(hba.write_text, f"local all {user} scram-sha-256\n{rules}")
        await connection.execute("select pg_reload_conf()")
        with suppress(asyncpg.PostgresError):  # from then on it asks
            while True:
                await (await asyncpg.connect(dsn, user=user, password="wrong")).close()
        url = dsn.replace("postgres@", f"{user}:{PASSWORD}@")
        told = await refused(url)
        assert told.endswith("refused the user or password in url under [pool] (or GALVO_POOL__URL)")
        async with Kernel.of({PoolPlugin: {"url": url.replace(PASSWORD, "right"), "min_size": 1}}) as kernel:
            assert await kernel.fetchval("select 1") == 1
        await connection.execute(f"alter role {user} connection limit 1")
        told = await refused(url.replace(PASSWORD, "right"), min_size=3)
        assert "has no connections left" in told
        assert await left(connection, user) == 0, "those that did open are closed again"
    finally:
        await asyncio.to_thread(hba.write_text, rules)
        await connection.execute("select pg_reload_conf()")
        await connection.execute(f"drop role {user}")
    told = await refused(dsn.replace("postgres@", f"nobody_here:{PASSWORD}@"))
    assert "refused the user" in told or "nobody_here" in told
    told = await refused(dsn.replace("/test_", "/nothing_"))
    assert "has no such database" in told
    await connection.close()


async def left(connection: asyncpg.Connection, user: str) -> int:
    for _ in range(200):  # a closed connection's backend ends a moment later
        count = int(await connection.fetchval("select count(*) from pg_stat_activity where usename = $1", user))
        if not count:
            return 0
    return count


@pytest.mark.parametrize(
    "url",
    [
        "nonsense", "127.0.0.1:5432", f"mysql://me:{PASSWORD}@host/db", f"http://me:{PASSWORD}@host/db",
        f"postgresql://me:{PASSWORD}[@host/db", "postgresql://me:correct/horse@host/db",
        "postgresql://me:correct#horse@host/db", "postgresql://me:correct?horse@host/db",
        f"postgresql://me:{PASSWORD}@host:port/db", f"postgresql://me:{PASSWORD}@127.0.0.1:99999/db",
        f"postgresql://me:{PASSWORD}@[::1/db", f"postgresql://me:{PASSWORD}@127.0.0.1:-1/db",
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/db?sslmode=perhaps", f"postgresql://me:{PASSWORD}@127.0.0.1:1,2/db",
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/db?password={PASSWORD}",
        f"postgresql://me@127.0.0.1:1/db?password={PASSWORD}&sslmode=perhaps",
        f" postgresql://me:{PASSWORD}@127.0.0.1:1/db", f"postgresql:/me:{PASSWORD}@host/db",
        f"postgresql://me:{PASSWORD}@host.invalid/db", f"postgresql://me:{PASSWORD}@\n/db", f"postgres//{PASSWORD}",
    ],
)  # fmt: skip
async def test_a_malformed_url(url: str) -> None:
    await refused(url)


async def test_sizes_that_cannot_be() -> None:
    with pytest.raises(Exception, match=r"\[pool\] min_size = \d+ is larger than max_size = \d+"):
        Kernel.of({PoolPlugin: {"url": "postgresql://x/y", "min_size": 5, "max_size": 2}})
    with pytest.raises(Exception, match="max_size"):
        Kernel.of({PoolPlugin: {"url": "postgresql://x/y", "min_size": 0, "max_size": 0}})


async def test_no_url_and_no_embedded_server() -> None:
    told = await refused("")
    assert told.startswith("no database: set GALVO_POOL__URL=postgresql://..., or GALVO_EMBEDDED__ON=true")


async def test_a_pool_that_is_not_required_does_not_stop_the_kernel(caplog: pytest.LogCaptureFixture) -> None:
    url = f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/shop"
    async with Kernel.of({PoolPlugin: {"url": url, "required": False}}) as kernel:
        assert kernel.plugins()[0]["state"] == "failed"
        assert "nothing listens" in kernel.plugins()[0]["reason"]
        with pytest.raises(Exception, match="no active plugin runs SQL"):
            await kernel.fetch("select 1")
    assert PASSWORD not in caplog.text + repr(kernel.plugins())


def test_the_settings_never_show_the_url() -> None:
    from galvo_pool import PoolSettings

    assert PASSWORD not in repr(PoolSettings(url=f"postgresql://me:{PASSWORD}@host/db"))


@pytest.mark.parametrize(
    "url, shown",
    [
        ("postgresql://me:secret@db.example:6000/shop", "db.example:6000/shop"),
        ("postgresql:///shop?host=/run/pg", "/run/pg/shop"),
        ("postgresql:///shop", "localhost/shop"),
        ("postgresql://me:se%2Fcret@h/shop", "h/shop"),
        ("postgresql://me:se/cret@h/shop", "the given URL"),
        ("postgresql://[::1", "the given URL"),
    ],
)
def test_the_place_is_all_that_is_shown(url: str, shown: str) -> None:
    assert place(url) == shown
    assert "secret" not in connect_failure(url, OSError("no route"))
