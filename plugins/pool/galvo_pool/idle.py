"""The holders that nobody has: live ones last in first out; who waits is served first come first served.

A holder that comes back goes straight to the first who waits. Were it laid down instead, whoever runs next could take
it before the one that was woken, and a queue of that kind starves waiters (measured: up to 2 s, research, section 3).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Idle:
    """Has the methods of asyncpg's queue that asyncpg's pool calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._live: list[Any] = []
        self._dead: list[Any] = []
        self.waiters: deque[asyncio.Future[Any]] = deque()
        self.out = 0
        """Holders that somebody has."""
        self.limit = 0
        """So many may be out at once."""

    def qsize(self) -> int:
        return len(self._live) + len(self._dead)

    def add(self, holder: Any) -> None:
        """A new one."""
        self.out += 1
        self.put_nowait(holder)

    def take(self) -> Any:
        """A live holder, else one that is to be connected; None when there is none to have."""
        if self.out >= self.limit:
            return None
        return self._pop()

    def _pop(self) -> Any:
        live = self._live
        while live:
            holder = live.pop()
            if holder.is_connected():
                self.out += 1
                return holder
            self._dead.append(holder)
        if self._dead:
            self.out += 1
            return self._dead.pop()
        return None

    async def get(self) -> Any:
        """The same, waiting for it."""
        holder = self.take() if not self.waiters else None
        if holder is not None:
            return holder
        waiter = self._loop.create_future()
        self.waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # it came, and too late
                self.put_nowait(waiter.result())
            else:
                waiter.cancel()
                self._forget()
            raise

    def put_nowait(self, holder: Any) -> None:
        """Back, or straight on to the first who waits."""
        waiters = self.waiters
        while waiters and self.out <= self.limit:
            waiter = waiters.popleft()
            if not waiter.done():
                waiter.set_result(holder)
                return
        self.out -= 1
        (self._live if holder.is_connected() else self._dead).append(holder)

    def take_would_wait(self) -> bool:
        return bool(self.waiters) or self.out >= self.limit or not self.qsize()

    def wake(self) -> None:
        """There may be more room: serve those who wait."""
        waiters = self.waiters
        while waiters:
            if waiters[0].done():
                waiters.popleft()
                continue
            holder = self.take()
            if holder is None:
                return
            waiters.popleft().set_result(holder)

    def _forget(self) -> None:
        """Waiters that gave up go at the next turn; not one by one, or a crowd that gives up takes a square of time."""
        if len(self.waiters) > 64 and sum(waiter.done() for waiter in self.waiters) * 2 > len(self.waiters):
            self.waiters = deque(waiter for waiter in self.waiters if not waiter.done())

    def get_disconnected_nowait(self) -> Any:
        """One to be connected, for the background. Raises asyncio.QueueEmpty."""
        dead = next((holder for holder in reversed(self._live) if not holder.is_connected()), None)
        if dead is not None:
            self._live.remove(dead)
        elif self._dead:
            dead = self._dead.pop()
        else:
            raise asyncio.QueueEmpty
        self.out += 1
        return dead

    def withdraw(self, holder: Any) -> bool:
        """Take this one, to look after it; False when somebody else has it."""
        if holder in self._live:
            self._live.remove(holder)
            self.out += 1
            return True
        return False

    def oldest(self) -> list[Any]:
        """The live ones, that which has been idle longest first."""
        return list(self._live)
