"""What budgets and limited calls raise. The numbers are in the sentence, and as attributes in bytes."""

from __future__ import annotations

import signal

from galvo.sizes import show
from galvo_memory.errors import MemoryProblem


class BudgetTooLarge(MemoryProblem):
    """More is asked for than there will ever be, so there is nothing to wait for."""

    def __init__(self, asked: int, total: int, of: str) -> None:
        super().__init__(f"{show(asked)} are asked for, and {of} is {show(total)}: ask for less, or make that larger")
        self.asked = asked
        self.total = total


class MemoryBudgetExceeded(MemoryProblem):
    """Found by a check: the process has grown by more than the budget, and those beside it, allow."""

    def __init__(self, used: int, size: int, beside: int) -> None:
        others = f" and {show(beside)} for others beside it" if beside else ""
        super().__init__(
            f"the process has grown by {show(used)} inside a memory budget of {show(size)}{others}: "
            "work in smaller pieces, or ask for a larger budget"
        )
        self.used = used
        self.size = size
        self.beside = beside


class Untransferable(MemoryProblem):
    """A function, its arguments, its result or its exception cannot be sent to or from another process."""


class WorkerDied(MemoryProblem):
    """The process that ran a limited call ended before it answered. `code` as in `subprocess`: -9 is SIGKILL."""

    def __init__(self, what: str, code: int | None, *, started: bool = True) -> None:
        super().__init__(f"the process that ran {what} {_how(code)}" if started else _unstarted(what, code))
        self.code = code


def _how(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return (
            "was killed (SIGKILL): by the system when memory ran out, if nobody else did it; give it a lower max_bytes"
        )
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code} before it answered"


def _unstarted(what: str, code: int | None) -> str:
    return (
        f"a process for {what} could not start (exit code {code}, its error is on stderr): "
        "the main module must be importable, what it runs stands under `if __name__ == '__main__':`"
    )
