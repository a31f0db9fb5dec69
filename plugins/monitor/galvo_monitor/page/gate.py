"""ASGI middleware: what is answered at all, and what browsers may do with the answers."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from galvo_monitor.errors import MonitorProblem

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    "require-trusted-types-for 'script'", "trusted-types 'none'",
))  # fmt: skip
"""Nothing from elsewhere, nothing inline; the last two forbid to make elements from text."""
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Gate:
    """Only GET, and only by a host name of ours: a page elsewhere can make its own name lead here (DNS rebinding)."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        """`hosts`: names or addresses without port. Raises MonitorProblem when there are none, or "*"."""
        self._app = app
        self._hosts = {host.lower().strip("[]") for host in hosts}
        if isinstance(hosts, str) or not self._hosts or any(not host or "*" in host for host in self._hosts):
            raise MonitorProblem(f"hosts={hosts!r} of the page: name each host by which it is reached, without port")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:

            async def sealed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message).update(HEADERS)
                await send(message)

            await (self._refusal(scope) or self._app)(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        told = [value for name, value in scope["headers"] if name == b"host"]
        if len(told) != 1 or host(told[0]) not in self._hosts:
            text = "this host name is not in the page's list: open it by one that is, or add it to hosts="
            return JSONResponse({"problem": text}, 400)
        if scope["method"] != "GET":
            return JSONResponse({"problem": "the page only answers GET"}, 405, {"allow": "GET"})
        return None


def host(header: bytes) -> str:
    """The name or address in a Host header; "" when it is none."""
    text = header.decode("latin-1").lower()
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        port = port.removeprefix(":") if bracket and (not port or port[0] == ":") else "?"
    else:
        name, _, port = text.partition(":")
    return name if not port or (port.isascii() and port.isdigit()) else ""
