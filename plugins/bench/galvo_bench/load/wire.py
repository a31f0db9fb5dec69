"""HTTP/1.1 over kept connections, far cheaper than the servers it asks: bytes in, status and body out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

Done = Callable[[int, bytes], None]
"""Called with the answer's status and its body; status 0: there was none, and the body says why."""
END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, free: deque[Connection]) -> None:
        self._free = free
        self._buffer = b""
        self._done: Done | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        with suppress(ValueError):
            self._free.remove(self)
        if self._done is not None:
            done, self._done = self._done, None
            done(0, b"the server closed the connection")

    def send(self, payload: bytes, done: Done) -> None:
        """Whoever takes a connection out of `free` sends; it comes back by itself."""
        assert self._transport is not None  # noqa: S101  # only a made one is free
        self._done = done
        self._transport.write(payload)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        answer = parsed(self._buffer)
        if answer is None or self._done is None:
            return
        self._buffer = b""
        done, self._done = self._done, None
        self._free.append(self)
        done(*answer)

    def close(self) -> None:
        self._done = None
        if self._transport is not None:
            self._transport.abort()


def parsed(buffer: bytes) -> tuple[int, bytes] | None:
    """Status and body of one whole answer; None: there is more to come."""
    end = buffer.find(END)
    if end < 0:
        return None
    head, start = buffer[:end].lower(), end + len(END)
    status = int(head[9:12])
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        size = int(head[at + 17 :].split(b"\r", 1)[0])
        return (status, buffer[start : start + size]) if len(buffer) >= start + size else None
    if b"transfer-encoding: chunked" in head:
        body = unchunked(buffer, start)
        return None if body is None else (status, body)
    return status, b""


def unchunked(buffer: bytes, at: int) -> bytes | None:
    parts: list[bytes] = []
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = int(buffer[at:line].split(b";")[0], 16)
        at = line + 2
        if len(buffer) < at + size + 2:
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(buffer[at : at + size])
        at += size + 2
    return None


@asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[deque[Connection]]:
    """`count` connections to this machine's `port`; those in the deque are free."""
    free: deque[Connection] = deque()
    loop = asyncio.get_running_loop()
    made: list[Connection] = []
    try:
        for _ in range(count):
            _, connection = await loop.create_connection(lambda: Connection(free), "127.0.0.1", port)
            made.append(connection)
        yield free
    finally:
        for connection in made:
            connection.close()
        await asyncio.sleep(0)
