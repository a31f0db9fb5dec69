"""What a process tells of its memory."""

from __future__ import annotations

import os
from time import monotonic
from typing import Any

import msgspec

from galvo import Context
from galvo_memory.asking.holders import Holder, holders
from galvo_memory.signals import Bound
from galvo_memory.watching.relieving import Relieving
from galvo_memory.watching.watcher import Watcher


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
    leak: Leak | None
    """None: nothing can be said yet."""
    lines: list[str]
    """That allocated while memory grew, when that was traced."""
    holders: list[Holder]
    relieved: list[Relieved]
    problems: list[str]


def state_of(context: Context, watcher: Watcher, relieving: Relieving, problems: list[str]) -> State:
    """Now."""
    now, sample, verdict = monotonic(), watcher.fresh(), watcher.leaks.verdict
    return State(
        pid=os.getpid(),
        level=watcher.levels.level.name.lower(),
        since=now - watcher.since,
        rss=sample.rss,
        bounds=[Bound(sample.bound, sample.limit, sample.used), *filter(None, [sample.fullest])],
        waiting=sample.psi_some10,
        blocks=sample.blocks,
        trend=watcher.history.lows(now),
        leak=verdict and Leak(verdict.kind, verdict.slope_bytes_per_hour, verdict.confidence, verdict.evidence),
        lines=[str(line) for line in watcher.leaks.lines],
        holders=holders(context),
        relieved=[
            Relieved(now - one.at, one.level.name.lower(), sum(part.bytes for part in one.freed), _what(one.freed))
            for one in relieving.last
        ],
        problems=problems,
    )


def _what(freed: list[Any]) -> str:
    return ", ".join(part.what for part in freed if part.bytes)
