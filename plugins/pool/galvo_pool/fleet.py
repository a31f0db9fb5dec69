"""The open connections of a pool: whose answers may be kept, and whether what they lead to may have changed unseen.

The newest connection knows best what the pool leads to: its identity is the pool's, and those of another one are
replaced. A lost connection says that something has happened, and the next one to open says what.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import anyio
import asyncpg

from galvo_pool.holder import Life
from galvo_pool.identity import read_identity

CHANGES, WINDOW = 3, 60.0
"""After so many changes in so many seconds, connections of several identities are left as they are."""


class Fleet:
    """All connections of one pool, from their first word to their end."""

    def __init__(
        self, changed: Callable[[], None], doubted: Callable[[bool], None], *, timeout: float, log: logging.Logger
    ) -> None:
        """`changed()`: what was answered before holds no more. `doubted(True)`: nobody knows whether it holds;
        `doubted(False)`: it is known again. `timeout`: seconds that reading an identity may take.
        """
        self._changed, self._doubted, self._timeout, self._log = changed, doubted, timeout, log
        self.identity: bytes | None = None
        """Answers of connections that have it may be kept; None: of no connection."""
        self.settings: tuple[str, ...] = ()
        """Those on which answers depend."""
        self.doubt = anyio.Event()
        """Set from the loss of a connection until another one has opened."""
        self.losses = 0
        self.changes = 0
        self._newest = b""
        self._recent: deque[float] = deque(maxlen=CHANGES)
        self._open: set[Life] = set()

    @property
    def seen(self) -> tuple[int, tuple[str, ...]]:
        """While this stays the same, what a connection has said about itself stays true."""
        return self.losses, self.settings

    async def read(self, connection: Any) -> bytes:
        """What a new connection leads to. Raises what asyncpg does."""
        while True:
            before = self.seen
            identity = await self._read(connection)
            if before == self.seen:
                return identity

    def enter(self, life: Life, connection: Any, identity: bytes) -> None:
        """A new connection, before it answers anything."""
        life.identity = identity
        if connection.is_closed():
            return  # asyncpg says so
        self._open.add(life)
        connection.add_termination_listener(partial(self._ended, life))
        if identity != self._newest:
            self._newest = identity
            self._recent.append(monotonic())
            self.changes += 1
        self._judge()
        if self.doubt.is_set():
            self.doubt = anyio.Event()
            self._doubted(False)

    def admits(self, life: Life) -> bool:
        """Whether it may be lent. Another one is to be closed: the next to open is like the newest, most likely."""
        if life.identity != self.identity:
            self._judge()
        return self.identity is None or life.identity == self.identity

    def depend_on(self, settings: tuple[str, ...]) -> None:
        """Answers depend on these settings. Of what is open, they are not known."""
        if settings != self.settings:
            self.settings = settings
            for life in self._open:
                life.identity = b""

    async def _read(self, connection: Any) -> bytes:
        try:
            return await read_identity(connection, self.settings, self._timeout)
        except asyncpg.PostgresError as error:
            if connection.is_closed():
                raise
            self._log.warning("nothing that a connection answers is kept, as its identity cannot be read: %s", error)
            return b""

    def _ended(self, life: Life, _: Any) -> None:
        self._open.discard(life)
        if not life.leaving:
            self.losses += 1
            self.doubt.set()
            self._doubted(True)

    def _judge(self) -> None:
        """Find out whose answers may be kept."""
        restless = len(self._recent) == CHANGES and monotonic() - self._recent[0] < WINDOW
        mixed = restless and len({life.identity for life in self._open}) > 1
        identity = None if mixed else self._newest or None
        if identity != self.identity:
            if mixed:
                self._log.warning(
                    "the pool's connections lead to different servers or settings, so nothing they answer is kept"
                )
            self.identity = identity
            self._changed()
