"""Counts what an application asks of Redis, between the two, like `proxy` does for PostgreSQL.

The server's own counters have the heartbeats in them, which come by the clock; here they can be told apart.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from galvo_cache.coherence.scripts import PULSE

BEATS = frozenset({PULSE.sha.encode(), PULSE.text.encode()})
"""A heartbeat's script, by its name or as a text."""
BEGINNINGS = frozenset({b"AUTH", b"CLIENT", b"HELLO", b"PING", b"SELECT", b"SUBSCRIBE"})
"""What connections begin with, or are kept alive by."""
ANSWERS = frozenset({b"GET", b"MGET", b"SET"})
LIMIT = 1 << 26


class Commands(Counter[str]):
    """`commands`, without those of connections and heartbeats; bytes of `answers` with their keys, both ways.

    Only of answers: what is announced names tables by their OIDs, which are longer where there were more tables.
    """


@asynccontextmanager
async def counted(url: str, counts: Commands) -> AsyncIterator[str]:
    """A URL that leads to the same database of the same Redis, through here. `url` is redis:// or unix://."""
    parts = urlsplit(url)
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a server's callback is one
        tasks.add(task)
        asked: deque[bool] = deque()
        try:
            if parts.scheme == "unix":
                from_server, to_server = await asyncio.open_unix_connection(parts.path, limit=LIMIT)
            else:
                host, port = parts.hostname or "127.0.0.1", parts.port or 6379
                from_server, to_server = await asyncio.open_connection(host, port, limit=LIMIT)
            back = asyncio.create_task(_replies(from_server, writer, asked, counts))
            try:
                await _commands(reader, to_server, asked, counts)
            finally:
                to_server.close()
                back.cancel()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either of them has ended
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, limit=LIMIT)
    try:
        query = f"?{parts.query}" if parts.query else ""
        path = "" if parts.scheme == "unix" else parts.path
        account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        yield f"redis://{account}127.0.0.1:{server.sockets[0].getsockname()[1]}{path}{query}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _commands(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: deque[bool], counts: Commands
) -> None:
    while True:
        raw, words = await _message(reader)
        name = words[0].upper()
        counts["commands"] += name not in BEGINNINGS and (len(words) == 1 or words[1] not in BEATS)
        answers = name in ANSWERS
        counts["answers"] += len(raw) * answers
        asked.append(answers)
        writer.write(raw)
        await writer.drain()


async def _replies(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: deque[bool], counts: Commands
) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            raw, _ = await _message(reader)
            if asked and asked.popleft():  # whoever is subscribed hears what was not asked for
                counts["answers"] += len(raw)
            writer.write(raw)
            await writer.drain()
    writer.close()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, list[bytes]]:
    """The next value in RESP: as it came, and the texts in it. Raises IncompleteReadError."""
    head = await reader.readuntil(b"\r\n")
    kind, size = head[:1], head[1:-2]
    if kind == b"$":
        if size == b"-1":
            return head, []
        body = await reader.readexactly(int(size) + 2)
        return head + body, [body[:-2]]
    if kind in b"*>~%":
        parts, words = [head], list[bytes]()
        for _ in range(int(size) * (1 + (kind == b"%"))):
            raw, found = await _message(reader)
            parts.append(raw)
            words += found
        return b"".join(parts), words
    return head, []
