"""Counts what an application asks of PostgreSQL, between the two: exact, and the same for everybody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

from galvo_engraving.demo.databases import with_database

SSL = 80877103
CANCEL = 80877102
RESET = b"SELECT pg_advisory_unlock_all();"
"""How asyncpg's pool hands a connection back, and galvo's after more of the kind: sent by itself, so told apart."""
CHUNK = 1 << 16


class Counts(Counter[str]):
    """`queries`: executed statements, prepared or simple; `resets` of a pool's connections; `trips` of all kinds;
    `connections` made; bytes `out` to the server and `back` from it.
    """


@asynccontextmanager
async def counted(url: str, counts: Counts) -> AsyncIterator[str]:
    """A DSN that leads to the same database, through here."""
    socket, host, port = _address(url)
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a server's callback is one
        tasks.add(task)
        try:
            ours = asyncio.open_unix_connection(socket) if socket else asyncio.open_connection(host, port)
            from_server, to_server = await ours
            back = asyncio.create_task(_copy(from_server, writer, counts))
            try:
                await _count(reader, to_server, counts)
            finally:
                to_server.close()
                back.cancel()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either of them has ended
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    try:
        parts = urlsplit(url)
        user, _, _ = parts.netloc.rpartition("@")
        name = parts.path.strip("/")
        query = parse_qs(parts.query)
        account = user or next(iter(query.get("user", [])), "")
        bound = server.sockets[0].getsockname()[1]
        yield with_database(f"{parts.scheme}://{account + '@' if account else ''}127.0.0.1:{bound}/", name)
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _address(url: str) -> tuple[str, str, int]:
    """Path of a unix socket, or host and port."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = parts.hostname or next(iter(query.get("host", [])), "127.0.0.1")
    port = parts.port or int(next(iter(query.get("port", [])), "5432"))
    return (f"{host}/.s.PGSQL.{port}" if host.startswith("/") else ""), host, port


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counts) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            counts["back"] += len(data)
            writer.write(data)
            await writer.drain()
    writer.close()


async def _count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counts) -> None:
    while True:  # what comes before the first message with a type
        head = await reader.readexactly(8)
        size, code = int.from_bytes(head[:4]), int.from_bytes(head[4:])
        counts["out"] += size
        writer.write(head + await reader.readexactly(size - 8))
        if code == CANCEL:
            return
        if code != SSL:
            counts["connections"] += 1
            break
    while True:
        head = await reader.readexactly(5)
        body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
        kind = head[:1]
        counts["out"] += len(head) + len(body)
        if kind == b"E" or (kind == b"Q" and RESET not in body):
            counts["queries"] += 1
        elif kind == b"Q":
            counts["resets"] += 1
        if kind in b"QSH":  # a flush is waited for as well: a statement is prepared
            counts["trips"] += 1
        writer.write(head + body)
        await writer.drain()
        if kind == b"X":
            return
