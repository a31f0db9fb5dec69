"""The holders that nobody has: live ones last in first out; who waits is served first come first served.

A holder that comes back goes straight to the first who waits. Were it laid down instead, whoever runs next could take
it before the one that was woken, and a queue of that kind starves waiters (measured: up to 2 s, research, section 3).

`limit` bounds the connections that run a statement, not those that are lent: an application that thinks while it has
one keeps nobody from another. Who takes one is expected to run something, and counts at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Idle:
    """Has the methods of asyncpg's queue that asyncpg's pool calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        """`most` holders are out at once."""
        self._loop = loop
        self._live: list[Any] = []
        self._dead: list[Any] = []
        self._away: set[Any] = set()
        self.waiters: deque[asyncio.Future[Any]] = deque()
        self.most = self.limit = most
        self.out = 0
        """Holders that somebody has."""
        self.busy = 0
        """Those that run a statement, or are expected to."""
        self.peaks = (0, 0)
        """The most that waited and that were busy since somebody asked."""
        self._refusal: Callable[[], Exception] | None = None

    def qsize(self) -> int:
        """Those that the kernel has for itself are nobody's, too."""
        return len(self._live) + len(self._dead) + len(self._away)

    @property
    def full(self) -> bool:
        """Whoever asks now has to wait until somebody gives one back."""
        return self._refusal is None and (bool(self.waiters) or self.busy >= self.limit or self.out >= self.most)

    @property
    def waiting(self) -> int:
        """How many still wait."""
        return sum(not waiter.done() for waiter in self.waiters)

    def add(self, holder: Any) -> None:
        """A new one, without a connection."""
        self._dead.append(holder)

    # -- taking ---------------------------------------------------------------------------------------

    def take(self) -> Any:
        """A live holder, else one that is to be connected; None when there is none to have."""
        if self.busy >= self.limit or self.out >= self.most:
            return None
        live = self._live
        while live:
            holder = live.pop()
            if holder.is_connected():
                return self._out(holder)
            self._dead.append(holder)
        return self._out(self._dead.pop()) if self._dead else None

    def _out(self, holder: Any) -> Any:
        self.out += 1
        holder.expected = True
        self.busy += 1
        if self.busy > self.peaks[1]:
            self.peaks = self.peaks[0], self.busy
        return holder

    async def get(self) -> Any:
        """The same, waiting for it. Raises what `refuse` was given."""
        if self._refusal is not None:
            raise self._refusal()
        holder = self.take() if not self.waiters else None
        if holder is not None:
            return holder
        waiter = self._loop.create_future()
        self.waiters.append(waiter)
        if len(self.waiters) > self.peaks[0]:
            self.peaks = len(self.waiters), self.peaks[1]
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # it came, and too late
                if waiter.exception() is None:
                    self.put_nowait(waiter.result())
            else:
                waiter.cancel()
                self._forget()
            raise

    def _forget(self) -> None:
        """Waiters that gave up go at the next turn; not one by one, or a crowd that gives up takes a square of time."""
        while self.waiters and self.waiters[0].done():
            self.waiters.popleft()
        if len(self.waiters) > 64 and sum(waiter.done() for waiter in self.waiters) * 2 > len(self.waiters):
            self.waiters = deque(waiter for waiter in self.waiters if not waiter.done())

    # -- giving back ----------------------------------------------------------------------------------

    def put_nowait(self, holder: Any) -> None:
        """Back, or straight on to the first who waits."""
        self.out -= 1
        self._away.discard(holder)
        if holder.expected:
            holder.expected = False
            self.busy -= 1
        waiters = self.waiters
        if waiters and self.busy < self.limit and self.out < self.most:
            while waiters:
                waiter = waiters.popleft()
                if not waiter.done():
                    waiter.set_result(self._out(holder))
                    return
        (self._live if holder.is_connected() else self._dead).append(holder)

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

    def refuse(self, why: Callable[[], Exception]) -> None:
        """Nobody gets one any more: who waits, and whoever comes, is told `why()`. Those that are out may come back."""
        self._refusal, self.most = why, 0
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(why())
        self.waiters.clear()

    # -- what runs ------------------------------------------------------------------------------------

    def begins(self, holder: Any) -> None:
        """A statement is sent."""
        if not holder.expected:
            holder.expected = True
            self.busy += 1

    def ends(self, holder: Any) -> None:
        """It has ended; perhaps another follows, perhaps not."""
        if holder.expected:
            holder.expected = False
            self.busy -= 1
            if self.waiters:
                self.wake()

    # -- the pool itself ------------------------------------------------------------------------------

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
        self._away.add(dead)
        return dead

    def withdraw(self, holder: Any) -> bool:
        """Take this one, to look after it; False when somebody else has it."""
        if holder not in self._live:
            return False
        self._live.remove(holder)
        self.out += 1
        self._away.add(holder)
        return True

    def own(self, holder: Any) -> None:
        """It is out for the kernel's own sake."""
        self._away.add(holder)

    def idle(self) -> list[Any]:
        """The live ones, that which has been idle longest first."""
        return list(self._live)

    def peak(self) -> tuple[int, int]:
        """How many waited and were busy at most since the last call."""
        found, self.peaks = self.peaks, (len(self.waiters), self.busy)
        return found
