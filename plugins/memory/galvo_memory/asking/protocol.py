"""One question, one answer, both JSON."""

from __future__ import annotations

import msgspec

NAME = "memory"
"""By which the plugin is asked."""


class Question(msgspec.Struct, frozen=True):
    trace: float = 0.0
    """Seconds to trace allocations for; the answer is `Traced`. 0: the answer is `State`."""
    types: bool = False
    """Count objects by type, too."""


class Traced(msgspec.Struct, frozen=True):
    sentences: list[str]
    """Who allocates what is kept."""
    problem: str = ""
    """Why nothing was traced."""
