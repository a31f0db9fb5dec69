"""Who may see the numbers: those whom the host's callable lets in, or who know the token."""

from __future__ import annotations

import hmac
import inspect
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Protocol

from starlette.requests import Request

from galvo_monitor.errors import MonitorProblem

Auth = Callable[[Request], bool | Awaitable[bool]]
COOKIE = "galvo_monitor"
LASTS = 7 * 86400
"""Seconds for which a cookie lets in."""
SHORTEST = 16
"""Characters of a token."""


class Door(Protocol):
    opens_for_all: bool
    """Whether the page itself, which holds no numbers, is shown to everybody: it asks for the token."""

    async def admits(self, request: Request) -> bool: ...

    def cookie(self) -> str | None:
        """A value that admits whoever has just been admitted from now on; None: it needs none."""


class Asking:
    """The host's own callable, asked for each request."""

    opens_for_all = False

    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    async def admits(self, request: Request) -> bool:
        answer = self._auth(request)
        return (await answer if inspect.isawaitable(answer) else answer) is True

    def cookie(self) -> str | None:
        return None


class Knowing:
    """`Authorization: Bearer TOKEN`, or the cookie that was given for it: `<expiry>.<HMAC-SHA256 of it>`.

    The cookie outlives a restart with the same token, so a page that is open goes on.
    """

    opens_for_all = True

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        if len(token) < SHORTEST or not (token.isascii() and token.isprintable()) or " " in token:
            raise MonitorProblem(f"the page's token: give one of at least {SHORTEST} ASCII characters without spaces")
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"galvo monitor cookie", sha256)
        self._clock = clock

    async def admits(self, request: Request) -> bool:
        scheme, _, told = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return hmac.compare_digest(told.strip().encode(), self._token)
        expiry, _, seal = request.cookies.get(COOKIE, "").partition(".")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) < SHORTEST):
            return False
        return hmac.compare_digest(seal.encode(), self._seal(expiry).encode()) and int(expiry) > self._clock()

    def cookie(self) -> str | None:
        expiry = str(int(self._clock()) + LASTS)
        return f"{expiry}.{self._seal(expiry)}"

    def _seal(self, expiry: str) -> str:
        return hmac.new(self._key, expiry.encode(), sha256).hexdigest()


class Open:
    """Everybody."""

    opens_for_all = True

    async def admits(self, request: Request) -> bool:
        return True

    def cookie(self) -> str | None:
        return None


def door(auth: Auth | None, token: str | None, *, public: bool) -> Door:
    """Raises MonitorProblem unless exactly one of the three is given."""
    given = (auth is not None) + (token is not None) + bool(public)
    if not given:
        raise MonitorProblem(
            "the page shows how the application works: give auth= (a callable that gets the request and tells whether "
            "it may see that), or token=, or say public=True"
        )
    if given > 1:
        raise MonitorProblem("the page takes one of auth=, token= and public=True: leave out the others")
    if auth is not None:
        return Asking(auth)
    return Knowing(token) if token is not None else Open()
