"""The budget of the whole process."""

from __future__ import annotations

import psutil

from galvo_memory.budgets.admission import Admission

process = Admission(
    psutil.virtual_memory().total // 2,
    of="the whole process's budget (`budget` under [memory], by default half of what the process may use)",
)
"""Half of the machine, until the plugin knows the limit and resizes it."""
