"""A line for each look: over time, or at several processes."""

from __future__ import annotations

from datetime import datetime

from galvo.sizes import show
from galvo_memory.asking.look import Look
from galvo_memory.asking.shown import clipped, signed

HEAD = f"{'time':>8} {'RSS':>10} {'change':>11} {'limit':>10} {'used':>5} {'waiting':>7} {'level':>8}  verdict"
EVERY = 20
"""Lines between two heads."""
LISTED = f"{'PID':>8} {'RSS':>10} {'limit':>10} {'used':>5} {'waiting':>7} {'level':>8}  {'verdict':13}  process"


def row(look: Look, before: Look | None, now: datetime) -> str:
    """A line of --watch."""
    change = look.rss - (before.rss if before else look.rss)
    limit, used, level, verdict = _cells(look)
    return f"{now:%H:%M:%S} {show(look.rss):>10} {signed(change):>11} {limit:>10} {used:>5} {level}  {verdict}"


def listed(look: Look) -> str:
    """A line of a list of processes."""
    limit, used, level, verdict = _cells(look)
    process = look.process
    return clipped(
        f"{process.pid:>8} {show(look.rss):>10} {limit:>10} {used:>5} {level}  {verdict:13}  {process.command}"
    )


def _cells(look: Look) -> tuple[str, str, str, str]:
    limit, used = (show(look.tight.limit), f"{look.tight.share:.0%}") if look.tight else ("?", "?")
    if look.state is None:
        verdict = "not told"
    else:
        verdict = "no leak" if look.state.leak.kind == "none" else look.state.leak.kind
    return limit, used, f"{look.waiting:>5.1f} % {look.level:>8}", verdict
