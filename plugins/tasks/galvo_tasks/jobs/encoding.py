"""A result as Redis holds it: JSON, and nothing that its reader would make a class of."""

from __future__ import annotations

import json
from typing import Any

from galvo_tasks.jobs.errors import NotJson, ResultTooLarge, Unreadable


def encoded(value: Any, limit: int) -> str:
    """Raises NotJson, and ResultTooLarge above `limit` bytes."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    if len(text) > limit:
        raise ResultTooLarge(len(text), limit)
    return text


def decoded(id: str, text: bytes) -> Any:
    """Raises Unreadable."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Unreadable(id, f"its result: {error}") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
