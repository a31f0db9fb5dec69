"""`memory_budget`: a share of the process's memory for one piece of work.

Cooperative, and no more than that: who asks for too much waits, and who has used too much is told so at his next check.
Nothing stops a piece of work that does not check; what must be stopped runs under `run_limited`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import anyio.lowlevel
import psutil

from galvo.sizes import parse
from galvo_memory.budgets.admission import Admission
from galvo_memory.budgets.errors import MemoryBudgetExceeded
from galvo_memory.budgets.whole import process

_current: ContextVar[MemoryBudget | None] = ContextVar("galvo_memory_budget", default=None)
_own = psutil.Process()


class MemoryBudget:
    """Made by `memory_budget`."""

    def __init__(self, part: Admission, outer: MemoryBudget | None) -> None:
        self._part = part
        self._outer = outer
        self._began_at = _resident()
        self._over = False

    @property
    def size(self) -> int:
        """In bytes."""
        return self._part.total

    @property
    def used(self) -> int:
        """Bytes that the process's resident memory has grown by since this budget began.

        Whoever caused it: there is no measuring a task's. Memory that was free in the allocator before counts for
        nothing, and what this work frees is only seen once the allocator has given it back.
        """
        return max(0, _resident() - self._began_at)

    @property
    def beside(self) -> int:
        """Bytes that others held at most beside this budget, and may have used."""
        return self._part.beside + (self._outer.beside if self._outer is not None else 0)

    def check(self) -> None:
        """Takes about 20 us, in any thread. Raises MemoryBudgetExceeded, also for the budgets that this one is in."""
        budget: MemoryBudget | None = self
        while budget is not None:
            used, beside = budget.used, budget.beside
            if used > budget.size + beside:
                raise MemoryBudgetExceeded(used, budget.size, beside)
            budget = budget._outer

    async def checkpoint(self) -> None:
        """`check`, then let others run."""
        self.check()
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def memory_budget(size: int | str, *, admission: Admission = process) -> AsyncIterator[MemoryBudget]:
    """Waits until `size` ("200MiB", or bytes) is free in the process's budget, and holds it inside the `async with`.

    Inside another budget it is a part of that one. Raises BudgetTooLarge when there will never be so much, ValueError
    for what is no size. For a deadline put it into `anyio.fail_after`.

    >>> async with memory_budget("200MiB") as budget:
    ...     for order in orders:
    ...         work(order)
    ...         await budget.checkpoint()
    """
    async with admission.hold(parse(size)) as part:
        outer = current_budget()
        budget = MemoryBudget(part, outer)
        _current.set(budget)
        try:
            yield budget
        finally:
            budget._over = True
            if _current.get() is budget:
                _current.set(outer)


def current_budget() -> MemoryBudget | None:
    """That which the asking task is inside of."""
    budget = _current.get()
    while budget is not None and budget._over:
        budget = budget._outer
    return budget


def check() -> None:
    """Check the current budget, if there is one: for code that may be called inside of one."""
    budget = current_budget()
    if budget is not None:
        budget.check()


def _resident() -> int:
    global _own
    if _own.pid != os.getpid():  # forked
        _own = psutil.Process()
    return int(_own.memory_info().rss)
