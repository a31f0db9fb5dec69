"""One question, one answer, both JSON; then the connection is closed."""

from __future__ import annotations

import msgspec

PREFIX = "galvo-memory-"
"""Of the socket's name, behind which come the process id and something random."""
LARGEST_QUESTION = 1000
"""Bytes."""
LARGEST_ANSWER = 1 << 20


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
