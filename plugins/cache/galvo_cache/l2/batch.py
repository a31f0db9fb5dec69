"""The callers that one MGET answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from galvo_cache.l2.errors import Oversized, Unavailable
from galvo_cache.l2.wire import Reply

Waiter = asyncio.Future[bytes | None]


class Batch:
    """Keys and who waits for each; a key that several ask for is asked once."""

    __slots__ = ("over", "sent", "sifted", "timer", "waiters")

    def __init__(self) -> None:
        self.waiters: dict[bytes, list[Waiter]] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.sent = 0.0
        """When it was sent, by the loop's clock."""
        self.sifted = False
        """Its values are asked for only after their lengths."""
        self.over = False

    def join(self, key: bytes) -> Waiter:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        waiters = self.waiters.get(key)
        if waiters is None:
            self.waiters[key] = [waiter]
        else:
            waiters.append(waiter)
        return waiter

    def resolve(self, values: Sequence[Reply], largest: int) -> None:
        """Wake everybody with the value of their key, in the order of `waiters`."""
        self._end()
        for value, waiters in zip(values, self.waiters.values(), strict=True):
            if value is None or (type(value) is bytes and len(value) <= largest):
                for waiter in waiters:
                    if not waiter.done():
                        waiter.set_result(value)
            elif type(value) is bytes:
                _fail(waiters, Oversized("the value is larger than any entry may be"))
            else:
                _fail(waiters, Unavailable("the server answered something else than a string"))

    def drop(self, key: bytes, error: Exception) -> None:
        """This key is not asked for."""
        _fail(self.waiters.pop(key), error)

    def fail(self, error: Exception) -> None:
        self._end()
        for waiters in self.waiters.values():
            _fail(waiters, error)

    def _end(self) -> None:
        self.over = True
        if self.timer is not None:
            self.timer.cancel()


def _fail(waiters: list[Waiter], error: Exception) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_exception(error)
            waiter.exception()  # a caller that left is no news
