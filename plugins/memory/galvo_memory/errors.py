"""What this package raises."""

from __future__ import annotations

from galvo import GalvoError


class MemoryProblem(GalvoError):
    """Base: the sentence names the file or the number to change."""
