"""What a message says, made fit to be kept: whoever publishes may say anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

AS_IT_IS = (bool, int, float, bytes, datetime, Decimal, type(None))


def text(value: object) -> str:
    """Lone surrogates, which UTF-8 does not have, as their escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def plain(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The same headers where JSON can tell them; else what comes nearest."""
    return {text(name): _plain(value) for name, value in headers.items()}


def raw(body: Any, encoding: str) -> bytes:
    """The body of a message, which its transport may have decoded."""
    if isinstance(body, str):
        try:
            return body.encode("utf-8" if encoding == "binary" else encoding)
        except (LookupError, UnicodeEncodeError):
            return body.encode("utf-8", "surrogatepass")
    return bytes(body or b"") if isinstance(body, bytes | bytearray | memoryview | None) else json.dumps(body).encode()


def _plain(value: Any) -> Any:
    try:
        msgspec.json.encode(value)
    except (ValueError, TypeError, RecursionError):
        try:
            return _nearest(value)
        except RecursionError:
            return "nested too deeply to be kept"
    return value


def _nearest(value: Any) -> Any:
    if isinstance(value, dict):
        return {text(name): _nearest(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_nearest(one) for one in value]
    return value if isinstance(value, AS_IT_IS) else text(value)
