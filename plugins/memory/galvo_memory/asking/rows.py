"""`galvo memory --watch`: a line for each look."""

from __future__ import annotations

from datetime import datetime

from galvo_memory.asking.look import Look
from galvo_memory.sizes import show

HEAD = f"{'time':>8} {'RSS':>10} {'change':>11} {'limit':>10} {'used':>5} {'waiting':>7} {'level':>8}  verdict"
EVERY = 20
"""Lines between two heads."""


def row(look: Look, before: Look | None, now: datetime) -> str:
    change = look.rss - (before.rss if before else look.rss)
    sign = "+" if change > 0 else "-" if change < 0 else ""
    limit = show(look.tight.limit) if look.tight.limit else "?"
    leak = look.state.leak if look.state else None
    verdict = "?" if leak is None else "no leak" if leak.kind == "none" else f"leak: {leak.kind}"
    return (
        f"{now:%H:%M:%S} {show(look.rss):>10} {sign + show(abs(change)):>11} {limit:>10} {look.tight.share:>5.0%} "
        f"{look.waiting:>5.1f} % {look.level:>8}  {verdict}"
    )
