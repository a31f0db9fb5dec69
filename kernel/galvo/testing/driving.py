"""Drives a coroutine from one suspension to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Injected(Exception):
    """The fault that the kit puts into a plugin."""

    def __init__(self) -> None:
        super().__init__("put in by the conformance kit")


class Pause(BaseException):
    """Given by an act: be so many seconds slower there."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def future(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        made = loop.create_future()

        def end() -> None:
            if not made.done():
                made.set_result(None)

        loop.call_later(self.seconds, end)
        return made


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
            if thrown is None or isinstance(thrown, Pause):
                try:
                    if thrown is not None:
                        yield from thrown.future()
                    thrown = None
                    yield waits
                except BaseException as error:  # noqa: BLE001  # cancellation belongs to the coroutine
                    thrown = error
                    self.cancelled |= isinstance(error, asyncio.CancelledError)
