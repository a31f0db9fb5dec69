"""`/metrics`: an ASGI application, rendered in a worker thread."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, MutableMapping
from typing import Any

import anyio
from anyio.to_thread import run_sync

from galvo_monitor.cells import Snapshot
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.export.exposition import TYPE, exposition
from galvo_monitor.hosts import LOOPBACK

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AT_ONCE = 2
"""Scrapes; more are told to come again."""
PATIENCE = 30.0
"""Seconds that one may take: whoever reads slower is hung up on."""

NOTHING = b"nothing is measured yet, or the Redis with the numbers of all processes does not answer\n"


class Unguarded(MonitorProblem):
    """Anybody could read the metrics."""


class Metrics:
    """`Route("/metrics", Metrics(snapshot, token="..."))`; Prometheus: `authorization: {credentials: ...}`."""

    def __init__(
        self,
        read: Callable[[], Snapshot | None],
        *,
        token: str | None = None,
        public: bool = False,
        hosts: Collection[str] = LOOPBACK,
    ) -> None:
        """`read` is called in a worker thread; None: nothing is measured yet.

        A `public` one answers by the names `hosts` only, or any web page could read it with the browser of somebody
        who can reach it (DNS rebinding). Raises Unguarded unless exactly one of `token` and `public` is given.
        """
        if bool(token) == public:
            raise Unguarded("/metrics needs either a token, or public=True when whoever can reach it may read it")
        self._read = read
        self._token = f"Bearer {token}".encode() if token else None
        self._hosts = {host.lower().strip("[]") for host in hosts}
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"/metrics answers http, not {scope['type']}")
        if scope["method"] not in ("GET", "HEAD"):
            await _say(send, 405, b"read-only: GET\n", (b"allow", b"GET, HEAD"))
        elif not self._expected(scope):
            await _say(send, 400, b"this host name is not among hosts=\n")
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

    def _expected(self, scope: Scope) -> bool:
        given = _header(scope, b"host").decode("latin-1").lower()
        return self._token is not None or re.sub(r":\d+$", "", given).strip("[]") in self._hosts

    def _allowed(self, scope: Scope) -> bool:
        return self._token is None or hmac.compare_digest(_header(scope, b"authorization"), self._token)

    async def _serve(self, send: Send, *, body: bool) -> None:
        pieces = await run_sync(self._pieces)
        if pieces is None:
            await _say(send, 503, NOTHING)
            return
        piece = await run_sync(next, pieces, None)
        await _start(send, 200, TYPE.encode())
        while body and piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await run_sync(next, pieces, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _pieces(self) -> Iterator[bytes] | None:
        snapshot = self._read()
        return None if snapshot is None else exposition(snapshot)


def _header(scope: Scope, name: bytes) -> bytes:
    """Empty unless it is there once."""
    given = [value for key, value in scope["headers"] if key.lower() == name]
    return given[0] if len(given) == 1 else b""


async def _start(send: Send, status: int, kind: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})


async def _say(send: Send, status: int, what: bytes, *more: tuple[bytes, bytes]) -> None:
    await _start(send, status, b"text/plain; charset=utf-8", *more)
    await send({"type": "http.response.body", "body": what, "more_body": False})
