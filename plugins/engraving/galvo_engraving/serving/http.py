"""uvicorn, which ends at once although clients listen to events."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from galvo import GalvoError

GRACE = 5
"""Seconds for requests that run when it is to end."""
BACKLOG = 2048


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._streams = Streams(app)
        super().__init__(
            uvicorn.Config(
                self._streams,
                http="httptools",
                lifespan="on",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )

    def end(self) -> None:
        """It stops, as soon as it has begun."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.end()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Streams:
    """ASGI middleware: streams of events, which end by themselves only when there is nothing more to tell."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: set[asyncio.Task[object]] = set()
        self._ended = False

    def end(self) -> None:
        """All of them, and those that come."""
        self._ended = True
        for task in self._open:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and _streams(message):
                self._open.add(task)
                if self._ended:
                    task.cancel()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if not (self._ended and task in self._open):
                raise
            task.uncancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._open.discard(task)


def _streams(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
    )


@contextmanager
def listening(host: str, port: int, *, another: bool = False) -> Iterator[socket.socket]:
    """A socket that is open already, so that a port that is taken is told before anything is started.

    `another`: then any other. Raises GalvoError.
    """
    try:
        made = _open(host, port)
    except OSError as error:
        if not another:
            raise GalvoError(f"cannot listen on {host}:{port}: {_why(error)}: give another --port or --host") from None
        made = _open(host, 0)
    with made:
        yield made


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)  # asyncio and socket add the address to theirs


def _open(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    made = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    # Accepted sockets inherit it. asyncio sets it only where the protocol is named, which create_server does not do,
    # and an answer's body would wait 40 ms for the acknowledgement of its head.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
