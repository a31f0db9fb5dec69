"""`galvo explain`, asked of a running application: both ends."""

from __future__ import annotations

import math
from typing import Any

from galvo import Control, GalvoError
from galvo_live.commands.asking import asked

LONGEST = 60.0
"""Seconds for which somebody may look."""
MORE = 10.0
"""Seconds that an answer may take beyond that."""
LARGEST = 3500
"""Bytes of a statement: with what is round it, it has to fit into one question."""


async def explained(control: Control, question: dict[str, Any]) -> dict[str, Any]:
    """The application's end: `{"do": "explain", "what": "on_query", "seconds": 2}`. Raises GalvoError."""
    seconds = question.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST:  # also what is no number at all
        raise GalvoError(f"seconds is a number from 0 to {LONGEST:g}")
    return await control.explain(str(question.get("what", "")), seconds=seconds)


def ask(what: str, pid: int | None, seconds: float) -> dict[str, Any]:
    """The command's end: what is told, and the "pid" of who tells it; a "problem" when nobody does."""
    if len(what.encode()) > LARGEST:
        return {"problem": f"the statement is longer than the {LARGEST} bytes that can be asked of an application"}
    question = {"do": "explain", "what": what, "seconds": seconds}
    return asked(question, pid, math.ceil(seconds) + MORE)
