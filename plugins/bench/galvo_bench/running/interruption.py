"""Ctrl-C and its like: the first one ends the run in good order, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAID = b"\ngalvo: ending with what is known; once more ends at once\n"


@contextmanager
def as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP are what Ctrl-C is, so that every `finally` is reached. In the main thread; one that somebody
    ignores goes on being ignored.
    """
    found = [number for number in SIGNALS[1:] if signal.getsignal(number) is signal.SIG_DFL]
    for number in found:
        signal.signal(number, _as_interrupt)
    try:
        yield
    finally:
        for number in found:
            signal.signal(number, signal.SIG_DFL)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    handler = signal.getsignal(signal.SIGINT)  # asyncio has its own
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


class Interruption:
    """asyncio's own handling knows SIGINT only, and forgets it when a subject swallows the cancellation."""

    def __init__(self) -> None:
        self.happened = False
        self._task: asyncio.Task[Any] | None = None

    def here(self) -> None:
        """It cancels this task."""
        self._task = asyncio.current_task()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """In the main thread; a signal that somebody ignores goes on being ignored."""
        usual = (signal.SIG_DFL, signal.default_int_handler, _as_interrupt)
        before = {number: signal.getsignal(number) for number in SIGNALS}
        before = {number: handler for number, handler in before.items() if handler in usual}
        for number in before:
            signal.signal(number, self._heard)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, work: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
        """In a loop of its own. Raises KeyboardInterrupt when that ended it."""

        async def watched() -> T:
            self.here()
            return await work

        try:
            with self.watching(), asyncio.Runner(loop_factory=loop) as runner:
                return runner.run(watched())
        except asyncio.CancelledError:
            if self.happened:
                raise KeyboardInterrupt from None
            raise

    def _heard(self, number: int, frame: FrameType | None) -> None:
        first, self.happened = not self.happened, True
        if not first or self._task is None or self._task.done():
            raise KeyboardInterrupt
        os.write(sys.stderr.fileno(), SAID)  # a buffer may be in use
        self._task.cancel()
        self._task.get_loop().call_soon_threadsafe(lambda: None)  # it may wait for something else
