"""When to read an answer anew before its time is over, so that its end finds no crowd of readers with a miss each.

XFetch: every hit draws, and the nearer the end and the dearer the read, the likelier it is the one that reads again
(A. Vattani, F. Chierichetti, K. Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015). It is
useless for an answer that a write invalidates: nobody knows that end beforehand.
"""

from __future__ import annotations

import random

REACH = 8.0
"""Beyond so many times `beta * cost` one draw in 3,000 would succeed: before that, hits need not draw."""


def first_draw(ends: float, cost: float, beta: float) -> float:
    """From when on hits draw. `ends` is when the answer's time is over, `cost` the seconds that reading it took."""
    return ends - REACH * beta * cost


def is_due(left: float, cost: float, beta: float) -> bool:
    """One draw, `left` seconds before the end: `-beta * cost * ln(rand) >= left`. With `beta` 0 it never succeeds."""
    return beta * cost * random.expovariate(1.0) >= left > 0
