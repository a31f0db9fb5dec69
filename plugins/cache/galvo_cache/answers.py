"""What is kept of an answer: its weight in bytes, and whether callers may share it."""

from __future__ import annotations

import copy
import datetime as dt
import ipaddress
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from sys import getsizeof
from typing import Any, Literal

from galvo import Row, Rows

IMMUTABLE = frozenset(
    {
        int, str, bytes, bool, float, complex, type(None), Decimal, uuid.UUID,
        dt.date, dt.datetime, dt.time, dt.timedelta,
        ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
        ipaddress.IPv4Interface, ipaddress.IPv6Interface,
    }
)  # fmt: skip
ASYNCPG_TYPES = frozenset({"asyncpg.types", "asyncpg.pgproto.types"})
"""Range, BitString, Point, ...: they cannot be changed, and most of them cannot be copied."""
ENTRY_BYTES = 570
"""The entry, its times and counters, and its places in two dicts."""
DEEP = 50
"""Levels within one value."""


class TooLarge(ValueError):
    """The answer weighs more than one entry may."""


class Answer:
    """One answer as it is kept: `kept` itself may be handed out only if it is `shared`, else a copy of it."""

    __slots__ = ("kept", "shared", "weight")

    def __init__(self, rows: Rows, limit: int, *, shared: bool = False) -> None:
        """Raises TooLarge above `limit` bytes, and what `copy.deepcopy` raises for what cannot be copied."""
        self.weight, immutable = weigh(rows.records, limit)
        self.shared = shared or immutable
        self.kept = rows if self.shared else copied(rows)

    def rows(self) -> Rows:
        """The answer for one caller, who cannot change what is kept."""
        return self.kept if self.shared else copied(self.kept)


def weigh(records: Any, limit: int) -> tuple[int, bool]:
    """Bytes that `records` take, about, and whether nothing in them can be changed."""
    total = ENTRY_BYTES
    immutable = True
    for record in records:
        if _is_record(record):
            total += getsizeof(record)
            values = record.values()
        else:
            values = (record,)
        for value in values:
            if type(value) in IMMUTABLE:
                total += getsizeof(value)
            else:
                size, fixed = _weigh_value(value)
                total += size
                immutable = immutable and fixed
        if total > limit:
            raise TooLarge(f"more than {limit} bytes")
    return total, immutable


def _weigh_value(value: Any, depth: int = 0) -> tuple[int, bool]:
    kind = type(value)
    if kind in IMMUTABLE:
        return getsizeof(value), True
    if isinstance(value, uuid.UUID):
        return getsizeof(value), True
    if depth == DEEP:
        raise TooLarge(f"more than {DEEP} levels")
    fixed = kind is tuple or kind is frozenset or _is_record(value) or kind.__module__ in ASYNCPG_TYPES
    total = getsizeof(value)
    for part in _parts(value):
        size, whole = _weigh_value(part, depth + 1)
        total += size
        fixed = fixed and whole
    return total, fixed


def _parts(value: Any) -> Iterable[Any]:
    """What `value` holds, as far as that can be seen from outside."""
    if _is_record(value):
        return tuple(value)
    if isinstance(value, Mapping):
        return (*value.keys(), *value.values())
    if isinstance(value, (list, set, tuple, frozenset, deque)):
        return value
    slots = (name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ()))
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in slots)]


def copied(rows: Rows) -> Rows:
    """A deep copy of an answer; asyncpg's records, which cannot be made by hand, become `Row`s."""
    return Rows(_copies(rows.records), rows.status)


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in IMMUTABLE:
        return value
    if kind is list:
        return _copies(value)
    if kind is Row:
        return value.with_values(_copies(value))
    if _is_record(value):
        return Row(list(value.keys()), _copies(value.values()))
    if kind.__module__ in ASYNCPG_TYPES:
        return value
    return copy.deepcopy(value)


def _copies(values: Iterable[Any]) -> list[Any]:
    # Most values need no call: this is the price of every hit whose answer is not shared.
    return [value if type(value) in IMMUTABLE else _copy(value) for value in values]


def _is_record(value: Any) -> bool:
    """asyncpg's Record, without importing asyncpg: the cache works on whatever runs the queries."""
    kind = type(value)
    return kind is Row or (kind.__name__ == "Record" and kind.__module__.startswith("asyncpg"))


def difference(left: Rows, right: Rows) -> Literal["shape", "rows", "values"] | None:
    """What differs: the columns, the number of rows, or what is in them. Without ORDER BY the server may give the
    rows in any order, so they are compared as multisets.
    """
    ours, theirs = list(left.records), list(right.records)
    if ours and theirs and list(ours[0].keys()) != list(theirs[0].keys()):
        return "shape"
    if len(ours) != len(theirs):
        return "rows"
    return None if ours == theirs or sorted(map(repr, ours)) == sorted(map(repr, theirs)) else "values"
