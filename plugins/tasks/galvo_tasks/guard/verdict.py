"""What becomes of a message that comes to a worker for another time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

SKEW = 5.0
"""Seconds by which clocks of workers may differ: a task that is due later than that has certainly not begun."""
MAY_HAVE_RUN = "its worker was lost while it may have run"


class Verdict(Enum):
    RUN = "run it"
    COUNT = "send it again, with one loss more"
    DEAD = "put it aside"


def verdict(*, idempotent: bool, redelivered: bool, lost: int, starts: int, due_in: float) -> tuple[Verdict, str]:
    """With the reason, where it is put aside.

    `redelivered`: RabbitMQ says that it has been delivered before, which the message itself does not tell. `lost`: how
    many workers were lost with it, this time included. `starts`: how many may be. `due_in`: seconds, for a task that
    waits for its time.
    """
    if lost == 0:
        return Verdict.RUN, ""
    if redelivered and due_in > SKEW:
        return Verdict.RUN, ""
    if not idempotent:
        return Verdict.DEAD, MAY_HAVE_RUN
    if lost >= starts:
        return Verdict.DEAD, poison(lost)
    return (Verdict.COUNT if redelivered else Verdict.RUN), ""


def poison(lost: int) -> str:
    return f"{lost} worker{'s were' if lost > 1 else ' was'} lost with it"


def due_in(headers: Mapping[str, Any], now: datetime) -> float:
    """Seconds until its time; 0.0 for one that has none, or one that cannot be read."""
    try:
        return (datetime.fromisoformat(headers["eta"]) - now).total_seconds()
    except (KeyError, TypeError, ValueError):
        return 0.0
