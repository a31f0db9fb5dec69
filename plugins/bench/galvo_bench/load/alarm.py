"""Waits as exactly as the kernel can. asyncio's own timers are up to a millisecond late, which is as long as a request
takes: epoll counts in milliseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MONOTONIC, NONBLOCK = 1, os.O_NONBLOCK | os.O_CLOEXEC
_TIMES = ctypes.c_long * 4  # struct itimerspec: interval, value; seconds and nanoseconds of each
BILLION = 1_000_000_000


class Alarm:
    """A timerfd of Linux; `fd` < 0 elsewhere: asyncio's timers."""

    def __init__(self, fd: int, libc: ctypes.CDLL | None) -> None:
        self._fd = fd
        self._libc = libc
        self._waiter: asyncio.Future[None] | None = None

    async def sleep(self, seconds: float) -> None:
        """At least goes once through the loop."""
        if seconds <= 0 or self._libc is None:
            await asyncio.sleep(max(0.0, seconds))
            return
        whole, rest = divmod(int(seconds * BILLION) + 1, BILLION)
        self._waiter = asyncio.get_running_loop().create_future()
        self._libc.timerfd_settime(self._fd, 0, ctypes.byref(_TIMES(0, 0, whole, rest)), None)
        await self._waiter

    def ring(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._fd, 8)
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)


@contextmanager
def alarm() -> Iterator[Alarm]:
    """In a running loop."""
    if sys.platform != "linux":
        yield Alarm(-1, None)
        return
    libc = ctypes.CDLL(None)
    fd = libc.timerfd_create(MONOTONIC, NONBLOCK)
    made = Alarm(fd, libc)
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, made.ring)
    try:
        yield made
    finally:
        loop.remove_reader(fd)
        os.close(fd)
