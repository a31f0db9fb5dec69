"""Drives a coroutine from one suspension to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Injected(Exception):
    """The fault that the kit puts into a plugin."""

    def __init__(self) -> None:
        super().__init__("put in by the conformance kit")


class Hang(BaseException):
    """Given by an act: wait there for ever instead."""


Act = Callable[[], BaseException | None]
"""What to do at a suspension; what it gives is raised there."""


class Driven:
    """An awaitable that runs `coroutine`, and calls `act` at each of its suspensions, `resumed` before each step."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], act: Act, resumed: Callable[[], None] = lambda: None
    ) -> None:
        self._coroutine = coroutine
        self._act = act
        self._resumed = resumed
        self.cancelled = False
        """A cancellation was thrown in."""

    def __await__(self) -> Generator[Any, Any, Any]:
        thrown: BaseException | None = None
        while True:
            self._resumed()
            try:
                waits = self._coroutine.throw(thrown) if thrown else self._coroutine.send(None)
            except StopIteration as end:
                return end.value
            thrown = self._act()
            if isinstance(thrown, Hang):
                waits, thrown = next(asyncio.get_running_loop().create_future().__await__()), None
            if thrown is None:
                try:
                    yield waits
                except BaseException as error:  # noqa: BLE001  # cancellation belongs to the coroutine
                    thrown = error
                    self.cancelled |= isinstance(error, asyncio.CancelledError)
