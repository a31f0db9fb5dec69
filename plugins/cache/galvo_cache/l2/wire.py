"""One connection that many requests share: what is written first is answered first (RESP pipelining).

redis-py's connection takes one request at a time and starts a task per write. Here a request costs one write and one
callback, and whoever waits is woken by the parser itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis

from galvo_cache.l2.errors import Oversized, Unavailable

Reply = Any
"""bytes, None, int, a list of these, or an exception that stands for an error reply."""
Done = Callable[[list[Reply] | Exception], None]

_PARTIAL = object()
pack: Callable[[tuple[bytes | int, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]
"""A command in RESP."""


class ErrorReply(Exception):
    """The server refused one command; the text is the server's own and may hold a key, never a value."""


class Exchange:
    """Commands on their way: `replies` answers are due, and `done` gets all of them or the error."""

    __slots__ = ("done", "got", "limit", "replies")

    def __init__(self, replies: int, limit: int, done: Done) -> None:
        """`limit`: bytes the answers may take together."""
        self.replies = replies
        self.limit = limit
        self.done = done
        self.got: list[Reply] = []


class Wire(asyncio.Protocol):
    """The connection. Any doubt about what belongs to whom closes it and fails all that is under way."""

    def __init__(self, lost: Callable[[Wire], None], ready: Callable[[], None]) -> None:
        """`lost` is called once when it is closed, `ready` when it can take more to write."""
        self._lost, self._ready = lost, ready
        self._reader = hiredis.Reader(protocolError=Unavailable, replyError=ErrorReply, notEnoughData=_PARTIAL)
        self._due: deque[Exchange] = deque()
        self._unread = 0
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self.congested = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has a class of its own.
        self._transport = cast("asyncio.Transport", transport)

    @property
    def open(self) -> bool:
        return self._transport is not None and self._error is None

    @property
    def due(self) -> int:
        """Exchanges under way."""
        return len(self._due)

    def send(self, data: bytes | list[bytes], replies: int, limit: int, done: Done) -> None:
        """Write commands. `done` is called later, never from here. Call it on an open wire only."""
        assert self._transport is not None  # noqa: S101
        self._due.append(Exchange(replies, limit, done))
        if isinstance(data, bytes):
            self._transport.write(data)
        else:
            self._transport.writelines(data)

    def abort(self, error: Exception) -> None:
        """Close it now; everything under way fails with `error`."""
        if self._error is None:
            self._error = error
            if self._transport is not None:
                self._transport.abort()
            self._fail()

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets(False)) is not _PARTIAL:
                if not self._due:
                    raise Unavailable("the server answered what nobody asked")
                exchange = self._due[0]
                exchange.got.append(reply)
                if len(exchange.got) == exchange.replies:
                    self._due.popleft()
                    self._unread = self._reader.len() if self._reader.has_data() else 0
                    exchange.done(exchange.got)
        except Exception as error:  # noqa: BLE001  # whatever the parser cannot read
            self.abort(error if isinstance(error, Unavailable) else Unavailable("the server's answer is malformed"))
            return
        if self._due and self._unread > self._due[0].limit:
            self.abort(Oversized("the answer is larger than any entry may be"))

    def connection_lost(self, error: Exception | None) -> None:
        if self._error is None:
            self._error = Unavailable("the connection to Redis was closed")
            self._fail()
        self._transport = None
        self._lost(self)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        self._ready()

    def _fail(self) -> None:
        due, self._due = self._due, deque()
        for exchange in due:
            exchange.done(self._error or Unavailable("the connection to Redis was closed"))
