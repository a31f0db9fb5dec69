"""Typed keys: arguments that Python calls equal but PostgreSQL does not must not meet in a dict."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

# Equality within one of these types means the same value on the wire.
EXACT = frozenset({int, str, bytes, bool, type(None), dt.date, dt.timedelta, uuid.UUID})
# Here it does not: -0.0 == 0.0, Decimal("1.0") == Decimal("1.00"), one instant in two time zones.
SPELLED = frozenset({float, Decimal, dt.datetime, dt.time})


class Unkeyable(TypeError):
    """An argument of a type that has no safe key."""


def key_of(args: tuple[Any, ...]) -> Hashable:
    """The key of one set of arguments. Raises Unkeyable; the detail is the type's name, never the value."""
    if len(args) == 1:
        value = args[0]
        kind = type(value)
        return (kind, value) if kind in EXACT else _part(value)
    return tuple([(type(value), value) if type(value) in EXACT else _part(value) for value in args])


def _part(value: Any) -> Hashable:
    kind = type(value)
    if kind in EXACT:
        return kind, value
    if kind in SPELLED:
        return kind, repr(value)
    if kind is list or kind is tuple:
        return kind, tuple([_part(item) for item in value])
    if kind.__name__ == "UUID" and isinstance(value, uuid.UUID):
        return uuid.UUID, value  # asyncpg's own subclass, equal on the wire
    raise Unkeyable(kind.__name__)
