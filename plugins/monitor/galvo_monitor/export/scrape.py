"""`/metrics`: an ASGI application, rendered in a worker thread."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import anyio
from anyio.to_thread import run_sync

from galvo_monitor.cells import Snapshot
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.export.exposition import TYPE, exposition

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AT_ONCE = 2
"""Scrapes; more are told to come again."""
PATIENCE = 30.0
"""Seconds that one may take: whoever reads slower is hung up on."""


class Unguarded(MonitorProblem):
    """Anybody could read the metrics."""


class Metrics:
    """`app.mount("/metrics", Metrics(snapshot, token="..."))`; Prometheus sends it as `authorization: credentials`."""

    def __init__(self, read: Callable[[], Snapshot], *, token: str | None = None, public: bool = False) -> None:
        """`read` is called in a worker thread. Raises Unguarded without a token, unless it is `public`."""
        if not token and not public:
            raise Unguarded("/metrics needs a token, or public=True when whoever can reach it may read it")
        self._read = read
        self._token = f"Bearer {token}".encode() if token else None
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"/metrics answers http, not {scope['type']}")
        if scope["method"] not in ("GET", "HEAD"):
            await _say(send, 405, b"read-only: GET\n", (b"allow", b"GET, HEAD"))
        elif not self._allowed(scope):
            await _say(send, 401, b"the token is missing or wrong\n", (b"www-authenticate", b"Bearer"))
        elif self._busy >= AT_ONCE:
            await _say(send, 503, b"two others are served now\n", (b"retry-after", b"1"))
        else:
            self._busy += 1
            try:
                with anyio.move_on_after(PATIENCE):
                    await self._serve(send, body=scope["method"] == "GET")
            finally:
                self._busy -= 1

    def _allowed(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        given = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._token)

    async def _serve(self, send: Send, *, body: bool) -> None:
        pieces = await run_sync(self._pieces)
        piece = await run_sync(next, pieces, None)
        await _start(send, 200, TYPE.encode())
        while body and piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await run_sync(next, pieces, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _pieces(self) -> Iterator[bytes]:
        return exposition(self._read())


async def _start(send: Send, status: int, kind: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})


async def _say(send: Send, status: int, what: bytes, *more: tuple[bytes, bytes]) -> None:
    await _start(send, status, b"text/plain; charset=utf-8", *more)
    await send({"type": "http.response.body", "body": what, "more_body": False})
