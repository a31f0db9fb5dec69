"""What `galvo tasks status` asks a worker, and what that tells."""

from __future__ import annotations

import msgspec

NAME = "tasks"
"""By which it is asked (galvo_local)."""
QUESTION = b"status"


class WorkerState(msgspec.Struct, frozen=True):
    pid: int
    app: str
    """The name of its application."""
    broker: str
    """Its address, without a password."""
    classes: list[str]
    pool: str
    """"processes" or "threads"."""
    size: int
    """Of the pool, now."""
    running: int
    """Tasks, now."""
    concurrency: int
    """Tasks at once, at most, now."""
    why: str
    up: float
    """Seconds."""
    forks: int
    late: int
    """Forks that did not wait for the governor's loop."""
