"""What pools raise."""

from __future__ import annotations

from galvo_memory.errors import MemoryProblem


class PoolClosed(MemoryProblem):
    """The pool was asked for something after its `close`."""
