"""When an estimate is wrong enough to lead to another plan."""

from __future__ import annotations

FACTOR = 10
LEAST = 1000
"""Rows: below, any plan is quick."""


def off(estimate: float, actual: float, loops: float = 1) -> bool:
    """Whether rows were misestimated by so much that it matters."""
    low, high = sorted((max(1.0, estimate), max(1.0, actual)))
    return high >= FACTOR * low and high * loops >= LEAST
