"""What `galvo tasks status` asks a worker, and what that tells."""

from __future__ import annotations

import msgspec

NAME = "tasks"
"""By which it is asked (galvo_local)."""
QUESTION = b"status"


class WorkerState(msgspec.Struct, frozen=True):
    """All have defaults: workers of another version are asked, too."""

    pid: int = 0
    app: str = ""
    """The name of its application."""
    broker: str = ""
    """Its address, without a password."""
    classes: list[str] = []
    pool: str = ""
    """ "processes" or "threads"."""
    size: int = 0
    """Of the pool, now."""
    running: int = 0
    """Tasks, now."""
    concurrency: int = 0
    """Tasks at once, at most, now."""
    why: str = ""
    up: float = 0.0
    """Seconds."""
    forks: int = 0
    late: int = 0
    """Forks that did not wait for the governor's loop."""
