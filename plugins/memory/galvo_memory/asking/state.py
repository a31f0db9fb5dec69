"""What a process tells of its memory."""

from __future__ import annotations

import msgspec

from galvo_memory.signals import Bound


class Holder(msgspec.Struct, frozen=True):
    """Somebody who holds memory."""

    what: str
    bytes: int
    text: str = ""
    """More about it."""


class Leak(msgspec.Struct, frozen=True):
    """The verdict."""

    kind: str
    slope_bytes_per_hour: float
    confidence: float
    evidence: str


class Relieved(msgspec.Struct, frozen=True):
    """What was freed once."""

    ago: float
    level: str
    bytes: int
    what: str


class State(msgspec.Struct, frozen=True):
    """Times are seconds before this was told, sizes are bytes."""

    pid: int
    level: str
    """"normal", "elevated", "high" or "critical"."""
    since: float
    rss: int
    bounds: list[Bound]
    """The smallest limit, and behind it the one that will be reached first, if that is another."""
    waiting: float
    """Percent of the last 10 s in which somebody waited for memory."""
    blocks: int
    trend: list[tuple[float, int]]
    """The least of each minute: how long ago, and RSS."""
    leak: Leak
    found: list[str]
    """Who allocated while memory grew, when that was traced: sentences."""
    holders: list[Holder]
    relieved: list[Relieved]
    collector: str
    """What was done to the garbage collector, and how long it stopped the process at most."""
    problems: list[str]
