"""How far creating and dropping indexes may go."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    lock: float = 2.0
    """Seconds to wait for a lock, and that anybody may wait behind us."""
    statement: float = 3600.0
    """Seconds that a build or a drop may take."""
    transaction: float = 60.0
    """Seconds from which a transaction of others is too old to begin: a build waits for all that are older."""
    tries: int = 5
    """Attempts to drop a leftover before that is left to the next run."""
    pause: float = 1.0
    """Seconds before the next attempt; grows by as much each time."""
    turn: float = 0.0
    """Seconds to wait while another galvo works on this database."""
    free: int | None = None
    """Bytes free on the server's disk, by the operator; None: look, when the server is on this machine."""
    reserve: float = 0.05
    """The part of a disk that has to stay free."""
