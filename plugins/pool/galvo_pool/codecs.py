"""Codecs that an application sets decide what an answer looks like, so answers are shared among equal ones only."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from hashlib import blake2b
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

Codecs = Mapping[tuple[str, str], str]
"""By the schema and name of a type."""
PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))
PROCESS = secrets.token_hex(8)
DEEP = 8
_unnamed: dict[int, Any] = {}
"""They are kept, so that no other one gets such a name."""


def named(codec: Mapping[str, Any]) -> str:
    """The options of `set_type_codec`: equal in all processes that run the same program, and only for codecs that do
    the same. What has a state that cannot be seen is equal to nothing but itself.
    """
    return repr(sorted((option, _named(value, ())) for option, value in codec.items()))


def _named(value: Any, within: tuple[int, ...]) -> str:
    """`within`: the ids of what this is a part of."""
    if isinstance(value, PLAIN):
        return repr(value)
    if id(value) in within:
        return f"^{within.index(id(value))}"
    within = (*within, id(value))
    kind = _qualified(type(value))
    if isinstance(value, type | ModuleType):
        return _qualified(value)
    if isinstance(value, BuiltinFunctionType) and isinstance(value.__self__, ModuleType | type(None)):
        return _qualified(value)
    if len(within) > DEEP:
        return _itself(value)
    if isinstance(value, CodeType):
        parts: tuple[Any, ...] = (value.co_code, value.co_consts, value.co_names, value.co_freevars)
        return blake2b(_all(parts, within).encode(), digest_size=16).hexdigest()
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return _qualified(value) + _all((value.__code__, value.__defaults__, value.__kwdefaults__, cells), within)
    if isinstance(value, MethodType):
        return _all((value.__func__, value.__self__), within)
    if isinstance(value, partial):
        return kind + _all((value.func, value.args, value.keywords), within)
    if type(value) in (tuple, list):
        return kind + _all(value, within)
    if type(value) in (set, frozenset):
        return f"{kind}{sorted(_named(item, within) for item in value)}"
    if type(value) is dict:
        return kind + _all(value.items(), within)
    if type(value).__basicsize__ <= _Plain.__basicsize__ and hasattr(value, "__dict__"):
        return kind + _all((vars(value),), within)
    return _itself(value)


class _Plain:
    """An object whose state is in its `__dict__`."""


def _all(parts: Iterable[Any], within: tuple[int, ...]) -> str:
    return f"({', '.join(_named(part, within) for part in parts)})"


def _qualified(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}"


def _itself(value: Any) -> str:
    _unnamed[id(value)] = value
    return f"{_qualified(type(value))} {PROCESS} {id(value)}"


def salted(identity: bytes, codecs: Codecs) -> bytes:
    """`identity`, told apart by `codecs`; empty (unknown) stays empty."""
    if not codecs or not identity:
        return identity
    return blake2b(identity + repr(sorted(codecs.items())).encode(), digest_size=16).digest()
