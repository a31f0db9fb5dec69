"""What the server tells of itself at one moment."""

from __future__ import annotations

import msgspec


class Blocked(msgspec.Struct, frozen=True):
    """Who has waited longest for a lock."""

    pid: int
    waited: float | None
    """Seconds; None: servers before 14 do not tell."""
    blocker: int
    """A process that holds the lock or comes first; 0: a prepared transaction."""
    state: str
    """Of the blocker, as in pg_stat_activity; "" when it is not told."""
    since: float | None
    """Seconds that it has been in that state."""


class Sample(msgspec.Struct, frozen=True):
    """Sessions are the clients' of this database, without this one; times are in seconds.

    Roles without pg_monitor see what their own sessions do, and of others only that they are there.
    """

    sessions: dict[str, int]
    """By state: active, idle, idle in transaction, other."""
    hidden: int
    """Whose state this role may not see."""
    idle: tuple[int, ...]
    """Process ids of those that have been idle in a transaction for long, the longest first; at most 100."""
    idle_count: int
    idle_oldest: float
    blocked: int
    """Wait for a lock."""
    longest: float
    """Of the transactions."""
    connections: int
    """Of the whole server."""
    connections_most: int
    hit_ratio: float | None
    """Of the blocks that were asked for since the last sample; None: there were none, or it is the first."""
    blocker: Blocked | None = None


class Upkeep(msgspec.Struct, frozen=True):
    """What changes slowly and costs more to find out."""

    xid_age: int
    """Transactions; the oldest of any database on the server."""
    dead: int
    live: int
    """Rows, as far as the statistics know."""
