"""`galvo explain`, asked of a running application: the command's end, which the kernel finds by its entry point."""

from __future__ import annotations

from typing import Any

from galvo_live.commands.asking import asked

MORE = 10.0
"""Seconds that an answer may take beyond those for which the application looks."""


def ask(what: str, pid: int | None, seconds: float) -> dict[str, Any]:
    """What is told, and the "pid" of who tells it; a "problem" when nobody does."""
    return asked({"do": "explain", "what": what, "seconds": seconds}, pid, seconds + MORE)
