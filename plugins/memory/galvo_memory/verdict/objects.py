"""Which types of objects there are more and more of: what cycles that nobody collects are made of. By hand only."""

from __future__ import annotations

import gc
from collections import Counter

LEAST, TRIFLE = 100, 0.01
"""By which there have to be more: objects, and of the type with most."""


def types() -> Counter[str]:
    """Objects the collector knows, by type. Holds all threads for 72 ms per million of them."""
    counts = Counter(map(type, gc.get_objects()))
    return Counter({f"{kind.__module__}.{kind.__qualname__}": count for kind, count in counts.items()})


def grown(before: Counter[str], after: Counter[str], most: int = 5) -> list[tuple[str, int]]:
    """By how many there are more, most first."""
    more = Counter({kind: count - before[kind] for kind, count in after.items() if count > before[kind]})
    top = more.most_common(most)
    return [(kind, count) for kind, count in top if count >= max(LEAST, TRIFLE * top[0][1])]


def collector() -> str:
    """What is wrong with the collector, as a sentence; "" if nothing is."""
    young, threshold = gc.get_count()[0], gc.get_threshold()[0]
    if not gc.isenabled() or not threshold:
        return f"The garbage collector is off, {young:,} objects were made since it last ran: cycles are never freed."
    lost = sum(generation["uncollectable"] for generation in gc.get_stats())
    return f"The garbage collector found {lost:,} objects that it cannot free." if lost else ""
