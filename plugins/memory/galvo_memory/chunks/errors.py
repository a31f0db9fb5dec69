"""What reading in chunks and exporting raise; the database's own errors pass through unchanged."""

from __future__ import annotations

from galvo_memory.errors import MemoryProblem


class KeysetUnusable(MemoryProblem):
    """The columns of a keyset do not tell rows apart, so pages by them would lose some."""


class NoConnection(MemoryProblem):
    """Whatever runs the kernel's queries has no asyncpg connection to read from."""


class NotEntered(MemoryProblem):
    """A cursor on the caller's own connection is read outside of its `async with`."""
