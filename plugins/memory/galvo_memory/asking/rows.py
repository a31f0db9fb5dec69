"""`galvo memory --watch`: a line for each look."""

from __future__ import annotations

from datetime import datetime

from galvo_memory.asking.look import Look
from galvo_memory.asking.shown import signed
from galvo_memory.sizes import show

HEAD = f"{'time':>8} {'RSS':>10} {'change':>11} {'limit':>10} {'used':>5} {'waiting':>7} {'level':>8}  verdict"
EVERY = 20
"""Lines between two heads."""


def row(look: Look, before: Look | None, now: datetime) -> str:
    change = look.rss - (before.rss if before else look.rss)
    limit, used = (show(look.tight.limit), f"{look.tight.share:.0%}") if look.tight else ("?", "?")
    if look.state is None:
        verdict = "not told"
    else:
        verdict = "no leak" if look.state.leak.kind == "none" else look.state.leak.kind
    return (
        f"{now:%H:%M:%S} {show(look.rss):>10} {signed(change):>11} {limit:>10} {used:>5} "
        f"{look.waiting:>5.1f} % {look.level:>8}  {verdict}"
    )
