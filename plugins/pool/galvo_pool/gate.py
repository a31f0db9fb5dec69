"""Opens connections a few at a time, and after an outage not all at once (`Ramp` says when).

While the server cannot be reached, whoever needs a new connection is told so at once, and it is tried again after a
pause of at most half a second; so a server that returns is found within that, and is not met by a crowd.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from galvo_pool.errors import AWAY
from galvo_pool.sizing.ramp import Ramp

T = TypeVar("T")
OUTAGE = (*AWAY, asyncpg.TooManyConnectionsError)
"""Failures that may well be gone in a moment; others are the caller's own."""


class Gate:
    """Of one pool."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ramp = Ramp()
        self._waiters: list[asyncio.Future[None]] = []
        self._error: BaseException | None = None
        self.failures = 0

    @property
    def failing(self) -> bool:
        """The last attempt failed."""
        return self._ramp.failing

    async def open(self, connect: Callable[[], Awaitable[T]], *, insist: bool = False) -> T:
        """The outcome of `connect()`, or the last failure again while its pause lasts. `insist`: do not mind it."""
        while not self._ramp.allowed(self._loop.time()):
            if self._error is not None and self._ramp.delay(self._loop.time()):
                if insist:
                    break
                raise _again(self._error)
            await self._turn()
        self._ramp.begin()
        try:
            opened = await connect()
        except OUTAGE as error:
            self.failures += 1
            self._error = error
            self._ramp.failed(self._loop.time())
            raise
        except BaseException:
            self._ramp.abandoned()
            raise
        else:
            self._error = None
            self._ramp.opened()
            return opened
        finally:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def lost(self) -> None:
        """The server has closed connections."""
        self._ramp.lost(self._loop.time())

    async def _turn(self) -> None:
        """Wait until another one is open or has failed, or a pause is over."""
        delay = self._ramp.delay(self._loop.time())
        if delay:
            await asyncio.sleep(delay)
            return
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter


def _again(error: BaseException) -> BaseException:
    return copy.copy(error).with_traceback(None)
