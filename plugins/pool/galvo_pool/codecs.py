"""Codecs that an application sets decide what an answer looks like, so answers are shared among equal ones only."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

Codecs = Mapping[tuple[str, str], str]
"""By the schema and name of a type."""


def named(codec: Mapping[str, Any]) -> str:
    """The options of `set_type_codec`, equal in all processes that run the same program."""
    return repr(sorted((option, _named(value)) for option, value in codec.items()))


def _named(value: Any) -> str:
    if not callable(value):
        return repr(value)
    code = getattr(value, "__code__", None)
    digest = blake2b(code.co_code + repr(code.co_consts).encode(), digest_size=8).hexdigest() if code else ""
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)} {digest}"


def salted(identity: bytes, codecs: Codecs) -> bytes:
    """`identity`, told apart by `codecs`; empty (unknown) stays empty."""
    if not codecs or not identity:
        return identity
    return blake2b(identity + repr(sorted(codecs.items())).encode(), digest_size=16).digest()
