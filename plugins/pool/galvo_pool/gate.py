"""Opens connections a few at a time, and after an outage not all at once.

While the server cannot be reached, whoever needs a new connection is told so at once, and it is tried again after a
pause that grows up to half a second; so a server that returns is found within that, and is not met by a crowd.
The pause is drawn at random between the shortest and three times the last one ("decorrelated jitter",
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

T = TypeVar("T")
AT_ONCE = 4
SHORTEST, LONGEST = 0.02, 0.5
"""Seconds."""
OUTAGE = (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, asyncpg.AdminShutdownError)
"""Failures that may well be gone in a moment; others are the caller's own."""


class Gate:
    """Of one pool."""

    def __init__(self, clock: Callable[[], float], rng: random.Random | None = None) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._random = rng or random.Random()  # noqa: S311  # jitter
        self._room = asyncio.Semaphore(AT_ONCE)
        self._error: BaseException | None = None
        self._until = 0.0
        self._pause = SHORTEST
        self.opening = 0
        self.failures = 0

    @property
    def failing(self) -> bool:
        """The last attempt failed."""
        return self._error is not None

    async def open(self, connect: Callable[[], Awaitable[T]], *, insist: bool = False) -> T:
        """The outcome of `connect()`, or the last failure again while its pause lasts. `insist`: do not mind it."""
        self._check(insist)
        async with self._room:
            self._check(insist)  # others may have failed meanwhile
            self.opening += 1
            try:
                opened = await connect()
            except OUTAGE as error:
                self.failures += 1
                self._error = error
                self._pause = min(LONGEST, self._random.uniform(SHORTEST, 3 * self._pause))
                self._until = self._clock() + self._pause
                raise
            finally:
                self.opening -= 1
            self._error, self._pause = None, SHORTEST
            return opened

    def _check(self, insist: bool) -> None:
        if self._error is None or insist or self._clock() >= self._until:
            return
        again = copy.copy(self._error)
        raise again.with_traceback(None) from None
