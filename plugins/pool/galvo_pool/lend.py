"""Who has a connection: since when, taken where, by which task, and the session that its statements belong to."""

from __future__ import annotations

import asyncio
import sys
import weakref
from pathlib import Path
from types import CodeType
from typing import Any

import asyncpg

import galvo
from galvo import Proceed, Session

_POOLS = (asyncio, asyncpg, galvo, sys.modules[__package__ or ""])
OWN = tuple(f"{Path(module.__file__ or '').parent}/" for module in _POOLS)
"""Where the frames of pools are."""
DEPTH = 6
"""Frames that are remembered of whoever takes a connection."""


class LentSession(Session):
    """The session of a lent connection. Its pin comes with the first statement, so that all see it begin."""

    def __init__(self, run: Proceed, holder: Any) -> None:
        super().__init__(run)
        self.holder = holder
        self.connection = holder._con
        """The holder's next one is somebody else's."""

    @property
    def holding(self) -> bool:
        return not self._closed

    def end(self) -> None:
        """The connection goes back to its pool, which does the rest."""
        self._closed = True
        self.pin = None


class Lend:
    """One borrower of one holder."""

    __slots__ = ("_frames", "_task", "reported", "run", "session", "since")

    def __init__(self, since: float, run: Proceed | None, skip: int = 2) -> None:
        """`since` is loop time. `skip`: frames that are the pool's own."""
        self.since = since
        self.run = run
        """Where its statements go; None: straight to the server."""
        self.session: LentSession | None = None
        self.reported = False
        frames: list[tuple[CodeType, int]] = []
        frame = sys._getframe(skip)
        for _ in range(DEPTH):
            frames.append((frame.f_code, frame.f_lineno))
            if frame.f_back is None:
                break
            frame = frame.f_back
        self._frames = frames
        task = asyncio.current_task()
        self._task = weakref.ref(task) if task is not None else None

    @property
    def task(self) -> str:
        """The name of the task that took it; "ended" when it is over."""
        task = self._task() if self._task is not None else None
        return "ended" if task is None or task.done() else task.get_name()

    def site(self) -> str:
        """Where it was taken, `file:line in function`: the first frame outside of pools."""
        for code, line in self._frames:
            if not code.co_filename.startswith(OWN):
                return f"{code.co_filename}:{line} in {code.co_name}"
        code, line = self._frames[-1]
        return f"{code.co_filename}:{line} in {code.co_name}"


class Running:
    """Stands for a statement of the kernel's own that has the connection for its own time only."""

    __slots__ = ()
    run = session = None
    reported = True
    since = float("inf")


RUNNING: Any = Running()
