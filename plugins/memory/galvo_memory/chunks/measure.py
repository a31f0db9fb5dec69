"""How many bytes rows take, near enough for a budget: what Python says of each object, and of what is in it.

On the way of every row, so it goes by columns: what all values of one have in common is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from sys import getsizeof
from typing import Any, cast

FIXED = frozenset({int, float, bool, type(None), datetime, date, time, timedelta})
"""Types of which no value is much larger than another; the integers of PostgreSQL have at most eight bytes."""
SMALL = 40
"""Bytes of such a value. None and booleans take none, times a little more."""


def total(rows: Sequence[Any]) -> int:
    """Bytes of all rows."""
    size = len(rows) * getsizeof(rows[0])
    for values in zip(*rows, strict=True):
        measure = _measure(values)
        size += sum(map(measure, values)) if measure is not None else SMALL * len(values)
    return size


def sizes(rows: Sequence[Any]) -> list[int]:
    """Bytes of each row."""
    base, varying = getsizeof(rows[0]), []
    for values in zip(*rows, strict=True):
        measure = _measure(values)
        if measure is None:
            base += SMALL
        else:
            varying.append(map(measure, values))
    return [base + size for size in map(sum, zip(*varying, strict=True))] if varying else [base] * len(rows)


def _measure(values: tuple[Any, ...]) -> Callable[[Any], int] | None:
    """What measures the values of this column; None: they are all small."""
    types = set(map(type, values))
    if types <= FIXED:
        return None
    return deep if any(map(_contains, types)) else getsizeof


@lru_cache(maxsize=1000)
def _contains(kind: Any) -> bool:
    """Whether its objects are made of others. A composite (asyncpg.Record) is no Sequence to Python."""
    return issubclass(kind, list | tuple | set | frozenset | Mapping) or hasattr(kind, "keys")


def deep(value: Any) -> int:
    """Bytes of a value and of what it is made of."""
    size, kind = getsizeof(value), cast("Hashable", type(value))
    if not _contains(kind):
        return size
    if isinstance(value, Mapping):
        return size + sum(deep(key) + deep(item) for key, item in value.items())
    return size + sum(map(deep, value))
