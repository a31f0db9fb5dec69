"""An HTTP server on loopback that answers as it is told, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import SocketStream


class Listener:
    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.headers = ""
        self.hangs = False
        self.trickles = False
        self.bodies: list[bytes] = []
        self.heads: list[str] = []
        self._came = anyio.Event()

    async def came(self, count: int) -> None:
        """Wait until so many requests have come."""
        with anyio.fail_after(20):
            while len(self.bodies) < count:
                self._came = anyio.Event()
                await self._came.wait()

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.BrokenResourceError):  # whoever asked has gone
                await self._answer(stream)

    async def _answer(self, stream: SocketStream) -> None:
        got = b""
        while b"\r\n\r\n" not in got:
            got += await stream.receive()
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        while len(body) < length:
            body += await stream.receive()
        self.heads.append(head.decode())
        self.bodies.append(body)
        hangs, trickles = self.hangs, self.trickles
        self._came.set()
        if hangs:
            await anyio.sleep_forever()
        while trickles:
            await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await anyio.sleep(0.05)
        answer = f"HTTP/1.1 {self.status} Whatever\r\n{self.headers}content-length: 0\r\nconnection: close\r\n\r\n"
        await stream.send(answer.encode())


async def until(true: Callable[[], object]) -> None:
    """For what tells nobody when it has come."""
    with anyio.fail_after(20):
        while not true():  # noqa: ASYNC110
            await anyio.sleep(0.01)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    made = Listener()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as server, anyio.create_task_group() as tasks:
        port = server.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610
        made.url = f"http://127.0.0.1:{port}"
        tasks.start_soon(server.serve, made.serve)
        yield made
        tasks.cancel_scope.cancel()
