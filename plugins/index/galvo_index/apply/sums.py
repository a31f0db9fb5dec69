"""What statements have cost so far, by statement; two looks at it give what happened between them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from galvo_index.workload import Statement

Workload = Callable[[], Awaitable[Sequence[Statement]]]
"""All statements with calls and seconds since the source began: the kernel's watch, or pg_stat_statements."""
ENOUGH: Final = 5
"""Calls from which a statement says something."""
Sums = dict[str, list[float]]
"""Calls and seconds, by `key`."""


def key(sql: str) -> str:
    """Journals hold this and no text, which may have literals."""
    return hashlib.sha256(sql.encode()).hexdigest()[:16]


def sums(statements: Iterable[Statement]) -> Sums:
    found: Sums = {}
    for statement in statements:
        calls, seconds = found.get(key(statement.sql), (0.0, 0.0))
        found[key(statement.sql)] = [calls + statement.calls, seconds + statement.seconds]
    return found


def between(first: Mapping[str, Sequence[float]], last: Mapping[str, Sequence[float]]) -> Sums:
    """Of a statement with fewer calls than at the first look the source has begun anew: all of them came since."""
    found: Sums = {}
    for name, (calls, seconds) in last.items():
        old_calls, old_seconds = first.get(name, (0.0, 0.0))
        if calls < old_calls or seconds < old_seconds:
            old_calls = old_seconds = 0.0
        if calls > old_calls:
            found[name] = [calls - old_calls, seconds - old_seconds]
    return found


def recent(earlier: Mapping[str, Sequence[float]], now: Sums) -> Sums:
    """Since `earlier`, and since the source began for statements that were hardly called since."""
    return now | {name: sides for name, sides in between(earlier, now).items() if sides[0] >= ENOUGH}
