"""ASGI middleware: what browsers may do with the answers."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SHUT = ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")
DATA = "; ".join(("default-src 'none'", *_SHUT))
"""An answer is no page: where one is opened as if it were, nothing in it runs."""
PAGE = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "connect-src 'self'", *_SHUT,
    "require-trusted-types-for 'script'", "trusted-types 'none'",
))  # fmt: skip
"""Nothing from elsewhere, nothing inline; the last two forbid to make elements from text."""
DOCS = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:",
    "connect-src 'self'", *_SHUT,
))  # fmt: skip
"""What Swagger UI needs: it styles its elements inline, and its pictures are in its style sheet."""
HEADERS = {
    "content-security-policy": DATA,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_RAW = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Sealed:
    """Every answer has `HEADERS`, except those that it has set otherwise itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = message.setdefault("headers", [])
                names = {name for name, _ in told}
                message["headers"] = [*told, *(one for one in _RAW if one[0] not in names)]
            await send(message)

        await self._app(scope, receive, sealed if scope["type"] == "http" else send)


async def broken(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours. What it was is in the server's log, where the server writes it."""
    text = "something went wrong here that is no fault of yours, and the server has noted it: try it once more"
    return JSONResponse({"problem": text}, 500, HEADERS)


def install(app: FastAPI) -> None:
    app.add_middleware(Sealed)
    app.add_exception_handler(Exception, broken)
