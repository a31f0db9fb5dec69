"""Where a job is."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (State.DONE, State.FAILED, State.CANCELLED)


class Progress(msgspec.Struct, frozen=True):
    state: State
    done: float = 0
    total: float = 0
    """In whatever the task counts; 0: it has not said."""
    text: str = ""

    @property
    def share(self) -> float | None:
        """From 0 to 1, where the total is known."""
        return min(1.0, self.done / self.total) if self.total else None
