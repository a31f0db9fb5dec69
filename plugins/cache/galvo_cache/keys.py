"""Typed keys: arguments that Python calls equal but PostgreSQL does not must not meet in a dict.

Nor may a visitor choose values that Python hashes alike: large integers and UUIDs hash modulo 2**61 - 1, without a
seed, so they are keyed by their digits, whose hash has one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Hashable
from decimal import Decimal
from sys import getsizeof
from typing import Any

# Equality within one of these types means the same value on the wire.
EXACT = frozenset({str, bytes, bool, type(None), dt.date, dt.timedelta})
APART = EXACT - {bool}
"""None of these, nor int, equals a value of another one of them: arguments of only these types are their own key."""
ALONE = frozenset({int, str})
"""A single argument of these looks up itself, without a call. Only `key_of` decides what is kept, so an integer
beyond 64 bits, which would be found under another key, is not found at all."""
WORD = 2**63
"""A single int that fits a bigint is exact, too: at most eight of those share a hash."""
HALF = 2**31
"""Of several, only those that fit an integer: pairs of larger ones can be chosen so that their tuples hash alike."""
DEEP = 16
"""Levels of lists in an argument; PostgreSQL's arrays have at most six."""


class Unkeyable(TypeError):
    """An argument of a type that has no safe key."""


def key_of(args: tuple[Any, ...]) -> Hashable:
    """The key of one set of arguments. Raises Unkeyable; the detail is the type's name, never the value."""
    bound = WORD if len(args) == 1 else HALF
    for value in args:
        kind = type(value)
        if kind is int:
            if not -bound <= value < bound:
                break
        elif kind not in APART:
            break
    else:
        return args  # the common case, at the price of a look at each type
    return tuple([_part(value) for value in args])


def _part(value: Any, depth: int = 0) -> Hashable:
    kind = type(value)
    if kind in EXACT:
        return kind, value
    if kind is int:
        return kind, value if -HALF <= value < HALF else hex(value)
    if kind is float or kind is Decimal:
        return kind, str(value)  # -0.0 == 0.0, Decimal("1.0") == Decimal("1.00")
    if kind is dt.datetime or kind is dt.time:
        # One instant in two time zones is equal, and two zones may have one repr: only the offset is sent.
        return kind, value.replace(tzinfo=None, fold=0), value.fold, value.utcoffset()
    if (kind is list or kind is tuple) and depth < DEEP:
        return kind, tuple([_part(item, depth + 1) for item in value])
    if isinstance(value, uuid.UUID) and kind.__name__ == "UUID":
        return uuid.UUID, value.bytes  # asyncpg's own subclass is equal on the wire
    raise Unkeyable(kind.__name__)


def args_of(key: Hashable) -> tuple[Any, ...]:
    """The arguments again, as they go over the wire. Raises Unkeyable or ValueError for what `key_of` did not make."""
    if type(key) is not tuple:
        raise Unkeyable(type(key).__name__)
    args = tuple([_whole(part) for part in key]) if key and type(key[0]) is tuple else key
    if key_of(args) != key:
        raise Unkeyable("another key")
    return args


def _whole(part: Any) -> Any:
    match part:
        case (kind, value) if kind in EXACT:
            return value
        case (kind, str(value)) if kind is int:
            return int(value, 16)
        case (kind, value) if kind in (int, float, Decimal):
            return kind(value)
        case (kind, value) if kind is list or kind is tuple:
            return kind([_whole(item) for item in value])
        case (kind, value) if kind is uuid.UUID:
            return uuid.UUID(bytes=value)
        case (_, value, fold, offset):
            return value.replace(fold=fold, tzinfo=None if offset is None else dt.timezone(offset))
    raise Unkeyable(type(part).__name__)


def weight_of(key: Hashable) -> int:
    """Bytes that a key takes, about."""
    if type(key) is tuple:
        return getsizeof(key) + sum([weight_of(part) for part in key])
    return 0 if isinstance(key, type) else getsizeof(key)
