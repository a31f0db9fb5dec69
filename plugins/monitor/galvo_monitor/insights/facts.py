"""What is known beside the series: the other plugins' state, the server's, the machine's."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from galvo_monitor.database import Sample as Sessions
from galvo_monitor.system import Disk
from galvo_monitor.system import Sample as MachineSample


class Leak(msgspec.Struct, frozen=True):
    """The memory plugin's verdict, other than "none"."""

    kind: str
    """python, native or fragmentation."""
    slope_bytes_per_hour: float
    confidence: float
    evidence: str
    found: tuple[str, ...] = ()
    """Who allocates, if that was traced: sentences."""


class Refused(msgspec.Struct, frozen=True):
    """What the database did since the start for a statement because the cache refused it."""

    statement: str
    """Without literals."""
    reason: str
    seconds: float
    runs: float


class Suggestion(msgspec.Struct, frozen=True):
    """What the index plugin has found; sentences."""

    rule: str
    subject: str
    seen: str
    advice: str


class Facts(msgspec.Struct, frozen=True):
    """Empty, or None, is what nobody tells."""

    pool: Mapping[str, float] = {}
    """Of `stats()`."""
    pool_pids: frozenset[int] = frozenset()
    """Process ids of its connections on the server."""
    pool_hosted: bool = False
    """It is the application's own, which may take connections from it by hand."""
    cache: Mapping[str, float] = {}
    """Of `stats()`."""
    refused: tuple[Refused, ...] | None = None
    """None: not asked this time."""
    leak: Leak | None = None
    suggestions: tuple[Suggestion, ...] = ()
    database: Sessions | None = None
    machine: MachineSample | None = None
    disks: tuple[Disk, ...] = ()
