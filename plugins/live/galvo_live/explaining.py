"""`galvo explain`, asked of a running application: its end."""

from __future__ import annotations

from typing import Any

from galvo import GalvoError
from galvo.operating import Operations

LONGEST = 60.0
"""Seconds for which somebody may look."""


async def explained(control: Operations, question: dict[str, Any]) -> dict[str, Any]:
    """Answers `{"do": "explain", "what": "on_query", "seconds": 2}`. Raises GalvoError."""
    seconds = question.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST:  # neither is what is no number at all
        raise GalvoError(f"seconds is a number from 0 to {LONGEST:g}")
    return await control.explain(str(question.get("what", "")), seconds=seconds)
