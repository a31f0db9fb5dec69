"""What this package raises."""

from __future__ import annotations

from galvo import GalvoError


class MemoryProblem(GalvoError):
    """Base: the sentence names the file or the number to change."""


class Unreadable(MemoryProblem):
    """A file that tells of memory is missing, may not be read, or says something else than Linux does."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path} cannot be read ({why})")


class LimitBelowUse(MemoryProblem):
    """`limit` under [memory] is smaller than what the process has already."""


class BudgetAboveLimit(MemoryProblem):
    """`budget` under [memory] is larger than what the process may use at all."""
