"""Budgets: who may use how much memory at once."""

from __future__ import annotations

from galvo_memory.budgets.admission import Admission
from galvo_memory.budgets.budget import MemoryBudget, check, current_budget, memory_budget
from galvo_memory.budgets.errors import BudgetTooLarge, MemoryBudgetExceeded, Untransferable, WorkerDied
from galvo_memory.budgets.limited import run_limited
from galvo_memory.budgets.whole import process

__all__ = [
    "Admission", "BudgetTooLarge", "MemoryBudget", "MemoryBudgetExceeded", "Untransferable", "WorkerDied", "check",
    "current_budget", "memory_budget", "process", "run_limited",
]  # fmt: skip
