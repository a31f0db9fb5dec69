"""What kind of values a column holds, found in the values: asyncpg gives no column OIDs. A closed set of codes.

One letter per kind, `[` before it for each level of a PostgreSQL array. None may be anywhere.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, NamedTuple

from galvo_cache.l2.errors import Unencodable

Form = Literal["msgpack", "json", "pickle"]
DEPTH = 6
"""Dimensions of an array; PostgreSQL has no more."""
NOTHING = "n"


KINDS: dict[str, Any] = {
    NOTHING: None,
    "?": bool,
    "i": int,
    "f": float,
    "x": str,  # a float in JSON, which has no infinity
    "s": str,
    "b": bytes,
    "D": Decimal,
    "T": dt.datetime,
    "d": dt.date,
    "t": dt.time,
    "v": dt.timedelta,
    "u": uuid.UUID,
    "a": str,  # every type of ipaddress: an inet column mixes them
}
"""The type msgspec decodes each kind to."""

_ADDRESSES: dict[str, Any] = {
    f"{name[0].lower()}{version}": getattr(ipaddress, f"IPv{version}{name}")
    for name in ("Address", "Interface", "Network")
    for version in (4, 6)
}
_ADDRESS_CODES = {kind: code for code, kind in _ADDRESSES.items()}
_CODES: dict[type, str] = {
    kind: code for code, kind in KINDS.items() if kind is not None and code not in "ax"
} | dict.fromkeys(_ADDRESS_CODES, "a")
_CODES[type(None)] = NOTHING


class Column(NamedTuple):
    code: str
    values: Iterable[Any]


def column(values: tuple[Any, ...], form: Form) -> Column:
    """The code of a column, and its values as msgspec can write them exactly. Raises Unencodable."""
    code = _code(values, 0)
    change = _changed.get(code[-1])
    if code[-1] == "f" and form == "json" and not all(_finite(value) for value in values):
        code, change = f"{code[:-1]}x", repr
    return Column(code, values if change is None else [_each(value, change) for value in values])


def type_of(code: str) -> Any:
    """The type of a column for msgspec's decoder. Raises ValueError for what is no code."""
    depth = len(code) - 1
    if depth < 0 or depth > DEPTH or code[:-1] != "[" * depth or code[-1] not in KINDS:
        raise ValueError("no code of a column")
    found: Any = KINDS[code[-1]]
    found = None if found is None else found | None
    for _ in range(depth):
        found = list[found] | None
    return list[found]


def restored(code: str, values: list[Any]) -> list[Any]:
    """The values of a decoded column as they were. Raises ValueError."""
    change = _restored.get(code[-1])
    return values if change is None else [_each(value, change) for value in values]


def _code(values: Iterable[Any], depth: int) -> str:
    code = NOTHING
    for kind in set(map(type, values)):  # at the speed of C
        code = _merged(code, _code_of(kind, values, depth))
    return code


def _code_of(kind: type, values: Iterable[Any], depth: int) -> str:
    if kind is list:
        if depth == DEPTH:
            raise Unencodable("a list of more levels than an array has")
        inner = NOTHING
        for value in values:
            if type(value) is list:
                inner = _merged(inner, _code(value, depth + 1))
        return f"[{inner}"
    found = _CODES.get(kind)
    if found is None:
        if kind.__name__ != "UUID" or not issubclass(kind, uuid.UUID):  # asyncpg's own subclass
            raise Unencodable(f"a value of type {kind.__name__}")
        found = "u"
    return found


def _merged(one: str, other: str) -> str:
    if one == other or other == NOTHING:
        return one
    if one == NOTHING:
        return other
    if one[0] == other[0] == "[":
        return f"[{_merged(one[1:], other[1:])}"
    raise Unencodable("a column of several types")


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    return [_each(item, change) for item in value] if type(value) is list else change(value)


def _finite(value: Any) -> bool:
    if type(value) is list:
        return all(_finite(item) for item in value)
    return value is None or isfinite(value)


def _moment(value: dt.datetime) -> dt.datetime | str:
    """msgspec turns every offset into UTC; another offset than that has to be written down."""
    if value.tzinfo is dt.timezone.utc and not value.fold:  # noqa: UP017  # the object that asyncpg gives
        return value
    _check_zone(value)
    return value if value.tzinfo is None else value.isoformat()


def _clock(value: dt.time) -> dt.time:
    _check_zone(value)
    return value


def _check_zone(value: dt.datetime | dt.time) -> None:
    """RFC 3339 knows offsets of whole minutes, and neither names nor folds."""
    zone, offset = value.tzinfo, value.utcoffset()
    if value.fold or (zone is not None and (offset is None or offset.seconds % 60 or offset.microseconds)):
        raise Unencodable("a time with a fold or an odd offset")
    if zone is not None and (type(zone) is not dt.timezone or str(zone) != str(dt.timezone(offset or ZERO))):
        raise Unencodable("a time in a named zone")


def _address(value: Any) -> str:
    return f"{_ADDRESS_CODES[type(value)]}{value}"


def _parsed_address(text: str) -> Any:
    if text[:2] not in _ADDRESSES:
        raise ValueError("no code of an address")
    return _ADDRESSES[text[:2]](text[2:])


ZERO = dt.timedelta(0)
_changed: dict[str, Callable[[Any], Any]] = {"T": _moment, "t": _clock, "a": _address}
_restored: dict[str, Callable[[Any], Any]] = {"x": float, "a": _parsed_address}
