"""A TCP relay in front of the test server: counts connections as they are opened, refuses them, cuts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Relay:
    """`opening` connections have not been told by the server that they are ready."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self.port = 0
        self.serves = True
        """Else it ends each connection as soon as it has been asked for something."""
        self._mute: set[asyncio.StreamWriter] = set()
        self.asked = 0
        self.opening = 0
        self.most = 0
        """At once."""

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens any more, and all connections end."""
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        for writers in self._tasks.values():
            for writer in writers:
                writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def mute(self) -> None:
        """The connections that are open now stay, and bring no answer any more."""
        self._mute.update(writers[0] for writers in self._tasks.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.asked += 1
        self.opening += 1
        self.most = max(self.most, self.opening)
        self._tasks[task] = [writer]
        ready = False
        try:
            if not self.serves:
                await reader.read(1)
                return
            server, back = await asyncio.open_unix_connection(self._socket)
            self._tasks[task].append(back)
            copying = asyncio.ensure_future(_copy(reader, back))
            while data := await server.read(65536):
                if not ready and b"Z\0\0\0\x05I" in data:
                    ready = True
                    self.opening -= 1
                if writer not in self._mute:
                    writer.write(data)
            copying.cancel()
        except OSError:
            pass
        finally:
            self.opening -= not ready
            for one in self._tasks.pop(task):
                one.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
        writer.transport.abort()


@asynccontextmanager
async def relay(dsn: str) -> AsyncIterator[tuple[str, Relay]]:
    """The URL of `dsn` through a relay."""
    parts = urlsplit(dsn)
    options = parse_qs(parts.query)
    made = Relay(f"{options['host'][0]}/.s.PGSQL.{options['port'][0]}")
    await made.listen()
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{made.port}{parts.path}?sslmode=disable", made
    finally:
        await made.refuse()
