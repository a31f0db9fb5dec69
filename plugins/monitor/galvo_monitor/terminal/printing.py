"""The terminal, or what stands for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from galvo_monitor.errors import MonitorProblem

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
WIDEST = 120


class NoRich(MonitorProblem):
    """The extra is missing."""


def console(file: TextIO | None = None) -> Console:
    """On `file` (standard output), 80 columns wide where nobody knows better. Raises NoRich."""
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        raise NoRich("this needs rich: pip install 'galvo-monitor[top]' (or ask with --json)") from None
    file = file or sys.stdout
    if reconfigure := getattr(file, "reconfigure", None):
        reconfigure(errors="replace")  # a terminal that knows few characters
    made = Console(file=file, highlight=False, markup=False, emoji=False)
    if not file.isatty():
        return Console(file=file, highlight=False, markup=False, emoji=False, width=WIDTH)
    if made.width > WIDEST:
        made.width = WIDEST
    return made
