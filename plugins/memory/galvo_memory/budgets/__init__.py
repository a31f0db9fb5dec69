"""Budgets: who may use how much memory at once."""

from __future__ import annotations

import os

from galvo_memory.budgets.admission import Admission
from galvo_memory.budgets.errors import BudgetTooLarge

__all__ = ["Admission", "BudgetTooLarge", "process"]

process = Admission(
    os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2,
    of="the whole process's budget (budget under [memory]; else half of its memory limit)",
)
"""This process's one. Half of the machine, until the plugin knows the limit and resizes it."""
