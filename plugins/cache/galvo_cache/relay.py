"""Writes from outside, passed on: what others keep of them in Redis, or in memory, holds no more.

A noticed write stays pending in this process until the stamps in Redis are renewed; else the next read would find
there what was read before the write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from galvo_cache.ledger import Ledger, Pending
from galvo_cache.touch import Touch, merged


class Relay:
    """Announces what was noticed, all of it that came meanwhile at once."""

    def __init__(self, ledger: Ledger, announce: Callable[[Touch | None], Awaitable[None]]) -> None:
        """`announce` returns when everybody knows, or when nobody who does not may serve anything."""
        self._ledger = ledger
        self._announce = announce
        self._unsaid: list[tuple[Touch | None, Pending]] = []
        self._news = anyio.Event()

    def add(self, touch: Touch | None) -> None:
        """Somebody outside has written `touch` (None: anything)."""
        self._unsaid.append((touch, self._ledger.begin(touch)))
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            noticed, self._unsaid = self._unsaid, []
            whole: Touch | None = {}
            for touch, _ in noticed:
                whole = None if whole is None or touch is None else merged(whole, touch)
            try:
                await self._announce(whole)
            finally:
                for _, pending in noticed:
                    self._ledger.end(pending)
