"""`galvo explain`, asked of a running application: the command's end, which the kernel finds by its entry point."""

from __future__ import annotations

from typing import Any

from galvo_live.commands.asking import asked

MORE = 10.0
"""Seconds that an answer may take beyond those for which the application looks."""
LARGEST = 3500
"""Bytes of a statement: with what is round it, it has to fit into one question."""


def ask(what: str, pid: int | None, seconds: float) -> dict[str, Any]:
    """What is told, and the "pid" of who tells it; a "problem" when nobody does."""
    if len(what.encode(errors="replace")) > LARGEST:
        return {"problem": f"the statement is longer than the {LARGEST} bytes that can be asked of an application"}
    return asked({"do": "explain", "what": what, "seconds": seconds}, pid, seconds + MORE)
