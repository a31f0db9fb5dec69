"""Admission by bytes: a weighted semaphore that serves first come first served.

Nobody passes whoever waits in front, however little he asks for, so a large request is never starved by small ones.
Except while less is allowed than he asks for: he could not begin, so those behind him do, and he keeps his place.

What is held can be divided further: whoever asks the same admission again from inside a hold (in the same task or one
that it started) gets it out of that hold. He would otherwise wait for himself, or two such tasks for each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import anyio

from galvo_memory.budgets.errors import BudgetTooLarge

_inside: ContextVar[Admission | None] = ContextVar("galvo_memory_inside", default=None)


class Admission:
    """Of one event loop at a time: it has no locks."""

    def __init__(self, total: int, *, of: str = "the whole") -> None:
        """`total` is in bytes; `of` names it in errors. Raises ValueError for less than one byte."""
        self.total = self.allowed = _positive(total)
        """Bytes: what there is, and how much of it may be out for now."""
        self.held = 0
        """Bytes that are out. More than `allowed` for as long as those last that were let in before a `resize`."""
        self._of = of
        self._outer: Admission | None = None
        """What this is a part of."""
        self._before: Admission | None = None
        """What the task was inside of when it got this part, of whatever it is one."""
        self.beside = 0
        """The most bytes that others held beside this part since it began."""
        self._parts: set[Admission] = set()
        self._waiters: deque[_Waiter] = deque()
        self._over = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiters)

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[Admission]:
        """Waits until `size` bytes are free and has them inside the `async with`; gives what they can be divided by.

        While memory is short, who asks for more than is allowed for now waits for that to end, and lets others pass.
        Raises BudgetTooLarge for more than there is in all, also when a `resize` makes it so while this waits;
        ValueError for less than one byte. For a deadline put it into `anyio.fail_after`.
        """
        source = self._innermost()
        await source._take(_positive(size))
        part = Admission(size, of="what is held around it")
        part._outer, part._before = source, _open()
        source._parts.add(part)
        source._look_beside()
        _inside.set(part)
        try:
            yield part
        finally:
            part._over = True
            source._parts.remove(part)
            if _inside.get() is part:  # else it ends in another task than it began in
                _inside.set(part._before)
            source._give(size)

    def resize(self, total: int, allowed: float = 1.0) -> None:
        """From now on there are `total` bytes, of which the share `allowed` may be out for now.

        What is held stays held; who waits for more than `total` is refused, who waits for more than is allowed waits.
        """
        self.total = _positive(total)
        self.allowed = max(1, int(total * allowed))
        for waiter in self._waiters:
            if waiter.size > self.total:
                waiter.refused = True
                waiter.turn.set()
        self._waiters = deque(waiter for waiter in self._waiters if not waiter.refused)
        self._serve()

    def _innermost(self) -> Admission:
        """The last that the asking task holds of it, or itself."""
        place = _open()
        while place is not None and (place._over or not place._is_of(self)):
            place = place._before
        return place or self

    def _is_of(self, whole: Admission) -> bool:
        step: Admission | None = self
        while step is not None and step is not whole:
            step = step._outer
        return step is whole

    async def _take(self, size: int) -> None:
        if size > self.total:
            raise BudgetTooLarge(size, self.total, self._of)
        if self._first() is None and self.held + size <= self.allowed:
            self._grant(size)
            return
        waiter = _Waiter(size)
        self._waiters.append(waiter)
        try:
            await waiter.turn.wait()
        except BaseException:
            if waiter.served:
                self._give(size)
            elif not waiter.refused:
                self._waiters.remove(waiter)
                self._serve()  # it may have stood in the way of smaller ones
            raise
        if waiter.refused:
            raise BudgetTooLarge(size, self.total, self._of)

    def _grant(self, size: int) -> None:
        self.held += size
        self._look_beside()

    def _look_beside(self) -> None:
        for part in self._parts:
            part.beside = max(part.beside, self.held - part.total)

    def _give(self, size: int) -> None:
        self.held -= size
        self._serve()

    def _first(self) -> _Waiter | None:
        """Whose turn it is."""
        return next((waiter for waiter in self._waiters if waiter.size <= self.allowed), None)

    def _serve(self) -> None:
        while (waiter := self._first()) is not None and self.held + waiter.size <= self.allowed:
            self._waiters.remove(waiter)
            self._grant(waiter.size)
            waiter.served = True
            waiter.turn.set()


class _Waiter:
    __slots__ = ("refused", "served", "size", "turn")

    def __init__(self, size: int) -> None:
        self.size = size
        self.turn = anyio.Event()
        self.served = False
        self.refused = False


def _open() -> Admission | None:
    """What the asking task is inside of; it may have been started inside a hold that is over."""
    place = _inside.get()
    while place is not None and place._over:
        place = place._before
    return place


def _positive(size: int) -> int:
    if size <= 0:
        raise ValueError(f"a size of {size} bytes holds nothing: it has to be positive")
    return size
