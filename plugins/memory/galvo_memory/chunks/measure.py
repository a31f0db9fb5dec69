"""How many bytes rows take, near enough for a budget: what Python says of each object, and of what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from sys import getsizeof
from typing import Any

FLAT = frozenset({str, bytes, bytearray, int, float, bool, type(None), datetime, date, time, timedelta})
"""Types whose `getsizeof` is all there is."""
FIXED = frozenset({float, bool, type(None), datetime, date, time, timedelta})
"""Those of which all are small and of about one size."""
SMALL = 40
"""Bytes of a fixed one; None and booleans take none, others a little more."""


def sizes(rows: Sequence[Any]) -> list[int]:
    """Bytes of each row."""
    columns = [_column(values) for values in zip(*rows, strict=True)]
    own = list(map(getsizeof, rows))
    varying = [column for column in columns if isinstance(column, list)]
    fixed = sum(column for column in columns if isinstance(column, int))
    return [size + fixed for size in map(sum, zip(own, *varying, strict=True))]


def _column(values: tuple[Any, ...]) -> int | list[int]:
    """Bytes of each value, or one number that will do for all."""
    types = set(map(type, values))
    if types <= FIXED:
        return SMALL
    if types <= FLAT:
        return list(map(getsizeof, values))
    return list(map(deep, values))


def deep(value: Any) -> int:
    """Bytes of a value and of what it is made of."""
    size = getsizeof(value)
    if type(value) in FLAT:
        return size
    if isinstance(value, Mapping):
        return size + sum(deep(key) + deep(item) for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset) or _is_record(value):
        return size + sum(map(deep, value))
    return size


def _is_record(value: Any) -> bool:
    """A composite; it is neither a tuple nor a Sequence to Python."""
    return hasattr(value, "keys") and hasattr(value, "__iter__")
