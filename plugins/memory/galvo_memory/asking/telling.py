"""What this process tells of itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import monotonic

from galvo import Context, Freed
from galvo_memory.asking.holders import holders
from galvo_memory.asking.state import Leak, Relieved, State
from galvo_memory.watching.relieving import Relieving
from galvo_memory.watching.watcher import Watcher


def state_of(context: Context, watcher: Watcher, relieving: Relieving, problems: list[str]) -> State:
    """Now."""
    now, sample, verdict = monotonic(), watcher.fresh(), watcher.leaks.verdict
    return State(
        pid=os.getpid(),
        level=watcher.levels.level.name.lower(),
        since=now - watcher.since,
        rss=sample.rss,
        bounds=sample.bounds,
        waiting=sample.psi_some10,
        blocks=sample.blocks,
        trend=watcher.history.lows(now),
        leak=Leak(verdict.kind, verdict.slope_bytes_per_hour, verdict.confidence, verdict.evidence),
        found=watcher.leaks.found,
        holders=holders(context),
        relieved=[
            Relieved(now - one.at, one.level.name.lower(), sum(part.bytes for part in one.freed), _what(one.freed))
            for one in relieving.last
        ],
        collector=_collector(watcher),
        problems=problems,
    )


def _what(freed: Sequence[Freed]) -> str:
    return ", ".join(part.what for part in freed if part.bytes)


def _collector(watcher: Watcher) -> str:
    stats = watcher.collector.stats()
    how = TOLD.get(watcher.collector.state, watcher.collector.state)
    return f"{how}; its longest pause of {stats['gc_pauses']:,.0f} took {stats['gc_longest'] * 1000:.1f} ms"


TOLD = {
    "off": "not tuned (tune_gc)", "before": "about to be tuned", "after": "tuned, and judged soon",
    "kept": "tuned, and better so", "reverted": "as it was: tuning it did not help", "left alone": "left alone",
}  # fmt: skip
"""The collector's states."""
