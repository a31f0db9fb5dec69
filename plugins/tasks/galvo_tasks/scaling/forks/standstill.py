"""A loop that stands still while its process forks."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from galvo_tasks.scaling.forks.helpers import Counted, anyio_works
from galvo_tasks.scaling.forks.inherited import disarm

PATIENCE = 5.0
"""Seconds that a fork waits for the loop and for what it has given to threads: then it happens all the same."""
LONGEST = 30.0
"""Seconds that a fork may take before the loop goes on."""
NAP = 0.0005

uncut = threading.RLock()
"""`with uncut:` in any other thread of the process: no fork happens meanwhile."""


class _Fork:
    """One fork: the loop says that it stands, the forking thread that it may go on."""

    def __init__(self) -> None:
        self.stands = threading.Event()
        self.over = threading.Event()


class Standstill:
    """`async with Standstill(in_child)`: in the loop that has to stand still. `in_child` is called in each child."""

    def __init__(self, in_child: Callable[[], None] = lambda: None) -> None:
        self.in_child = in_child
        self.forks = 0
        self.late = 0
        """Forks that did not wait any longer."""
        self._fork: _Fork | None = None

    async def __aenter__(self) -> Standstill:
        self.loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._helpers = Counted()
        self.loop.set_default_executor(self._helpers)
        _arm()
        _standing.append(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        _standing.remove(self)
        await self.loop.shutdown_default_executor()

    def hold(self) -> None:
        """In the thread that forks: wait until the loop stands."""
        if threading.get_ident() == self._thread:
            return
        self._fork = fork = _Fork()
        self.forks += 1
        try:
            self.loop.call_soon_threadsafe(self._stand, fork, monotonic() + PATIENCE)
        except RuntimeError:  # it has ended
            return
        if not fork.stands.wait(PATIENCE):
            self.late += 1

    def release(self) -> None:
        if self._fork is not None:
            self._fork.over.set()
            self._fork = None

    def _stand(self, fork: _Fork, until: float) -> None:
        if (self._helpers.busy or anyio_works()) and monotonic() < until and not fork.over.is_set():
            self.loop.call_later(NAP, self._stand, fork, until)
            return
        fork.stands.set()
        fork.over.wait(LONGEST)


_standing: list[Standstill] = []
_inherited: list[Any] = []
"""Of the parent: kept, since what is thrown away is cleaned up."""
_held: list[bool] = []
_armed = False


def _arm() -> None:
    global _armed
    if not _armed:
        _armed = True
        os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def _before() -> None:
    _held.append(uncut.acquire(timeout=PATIENCE))
    for one in _standing:
        one.hold()


def _in_parent() -> None:
    for one in _standing:
        one.release()
    if _held.pop():
        uncut.release()


def _in_child() -> None:
    if _held.pop():
        uncut.release()
    else:
        uncut._at_fork_reinit()  # type: ignore[attr-defined]  # as threading does with its own
    fresh = list(_standing)
    _standing.clear()
    _inherited.extend(fresh)
    for one in fresh:
        disarm(one.loop)
        one.in_child()
