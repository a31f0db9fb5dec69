"""A network between a pool and its server, which can fail in every way that a network can."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import parse_qs, urlsplit

State = Literal["open", "paused", "silent", "refused"]


class Proxy:
    """Listens on a TCP port of the loopback and forwards to a server's unix socket.

    `paused`: nothing is forwarded until it is open again. `silent`: what arrives is swallowed, for ever, and new
    connections are taken and not answered. `refused`: nobody listens.
    """

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._database = parts.path
        self._port = 0
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._lines: dict[asyncio.Task[None], socket.socket] = {}
        self.state: State = "refused"

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}{self._database}?sslmode=disable"

    async def become(self, state: State) -> None:
        """Connections that there are stay as they are, but for what `state` says."""
        self.state = state
        if state == "refused" and self._server is not None:
            self._server.close()
            self._server = None
        elif state != "refused" and self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]
        (self._flowing.clear if state == "paused" else self._flowing.set)()

    def cut(self) -> None:
        """Reset every connection, both ways."""
        for task, client in self._lines.items():
            with contextlib.suppress(OSError):  # SO_LINGER of 0 s: closing sends RST
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            task.cancel()

    async def close(self) -> None:
        await self.become("refused")
        self.cut()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines[task] = writer.get_extra_info("socket")
        ends = [writer]
        try:
            await self._flowing.wait()
            if self.state != "silent":
                there, back = await asyncio.open_unix_connection(self._socket)
                ends.append(back)
                ways = [asyncio.create_task(way) for way in (self._carry(reader, back), self._carry(there, writer))]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
            else:
                await reader.read()
        except (OSError, asyncio.CancelledError):
            pass  # one end is gone, so the other one goes too
        finally:
            self._lines.pop(task, None)
            for end in ends:
                end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while words := await source.read(65536):
            await self._flowing.wait()
            if self.state != "silent":
                target.write(words)
                await target.drain()


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(dsn)
    await proxy.become("open")
    try:
        yield proxy
    finally:
        await proxy.close()
