"""What budgets and limited calls raise. The numbers are in the sentence, and as attributes in bytes."""

from __future__ import annotations

from galvo_memory.errors import MemoryProblem
from galvo_memory.sizes import show


class BudgetTooLarge(MemoryProblem):
    """More is asked for than there will ever be, so there is nothing to wait for."""

    def __init__(self, asked: int, total: int, of: str) -> None:
        super().__init__(f"{show(asked)} are asked for, and {of} is {show(total)}: ask for less, or make that larger")
        self.asked = asked
        self.total = total
