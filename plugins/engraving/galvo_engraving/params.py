"""What the parameters of requests have in common, and pages of long lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Path, Query
from pydantic import BaseModel

from galvo_engraving.problems import Problem

LARGEST = 2**31 - 1
PAGE = 20
"""Entries, unless a client asks for another number."""
T = TypeVar("T")

Id = Annotated[int, Path(ge=1, le=LARGEST)]
AnId = Annotated[int, Query(ge=1, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=100, description="Entries at most.")]
Search = Annotated[
    str, Query(max_length=100, pattern=r"^[^\x00]*$", description="What the name contains, in any case; empty: all.")
]
After = Annotated[str, Query(max_length=400, description="`next` of the page before; empty: the first page.")]


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    entries: list[T]
    next: str | None
    """For `after`; None: this is the last one."""


def cursor(values: Sequence[Any]) -> str:
    """Where a page ends (the values of its last row by which the list is sorted), as text without a meaning."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(values))).decode().rstrip("=")


def start(after: str, types: type[T]) -> T | None:
    """What `cursor` was given, as a type: `start(after, tuple[str, int])`. None: from the start.

    Raises Problem.
    """
    if not after:
        return None
    try:
        return msgspec.json.decode(base64.b64decode(after + "=" * (-len(after) % 4), b"-_", validate=True), type=types)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Problem("after: this is not what a page before gave as `next`") from None


def pattern(search: str) -> str:
    """For `ilike`: `search` anywhere, its own wildcards meaning themselves."""
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
