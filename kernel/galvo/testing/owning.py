"""Which tasks belong to a plugin: those begun by its lifespan, its hooks, and their tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from galvo.testing.driving import Injected

owning: ContextVar[Owned | None] = ContextVar("owning", default=None)
"""Whose code runs. A task inherits it from the one that begins it."""


class Fragile:
    """A task's coroutine that can be made to fail where it waits."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._breaks = False

    def crash(self, task: asyncio.Task[Any]) -> None:
        """Raise `Injected` where it waits now."""
        self._breaks = True
        task.cancel()

    def close(self) -> None:
        """Its task was cancelled before it began."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        thrown: BaseException | None = None
        while True:
            try:
                waits = self._coroutine.throw(thrown) if thrown else self._coroutine.send(None)
            except StopIteration as end:
                return end.value
            thrown = None
            try:
                yield waits
            except BaseException as error:  # noqa: BLE001  # whatever it is belongs to the coroutine
                thrown = error
                if self._breaks and isinstance(error, asyncio.CancelledError):
                    self._breaks, thrown = False, Injected()
                    if (task := asyncio.current_task()) is not None:
                        task.uncancel()


class Owned:
    """A plugin's tasks, in the order in which they began."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], Fragile] = {}

    def add(self, task: asyncio.Task[Any], fragile: Fragile) -> None:
        self._tasks[task] = fragile
        task.add_done_callback(lambda done: self._tasks.pop(done).close())

    def running(self) -> list[asyncio.Task[Any]]:
        return [task for task in self._tasks if not task.done()]

    def crash(self, task: asyncio.Task[Any]) -> None:
        self._tasks[task].crash(task)


@contextmanager
def noticed() -> Iterator[None]:
    """Every task that begins meanwhile is known to its owner."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        owner = owning.get()
        if owner is None or not asyncio.iscoroutine(coroutine):
            return before(loop, coroutine, **options) if before else asyncio.Task(coroutine, loop=loop, **options)
        fragile = Fragile(coroutine)

        async def run() -> Any:
            return await fragile

        run.__qualname__ = run.__name__ = getattr(coroutine, "__qualname__", "run")
        task: asyncio.Task[Any] = asyncio.Task(run(), loop=loop, **options)
        owner.add(task, fragile)
        return task

    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(before)
