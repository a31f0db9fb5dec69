"""Long lists that are sorted by name, and by id where names are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import BaseModel

from galvo_engraving.params import LARGEST, Page, cursor, start

T = TypeVar("T", bound=BaseModel)
Name = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*\Z")]
Number = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


def begin(after: str) -> tuple[str | None, int]:
    """The name and the id after which the page starts; None: at the first. Raises Problem."""
    return start(after, tuple[Name, Number]) or (None, 0)


def page(rows: Sequence[Any], limit: int, entry: type[T]) -> Page[T]:
    """Of `rows`, which have one more than the `limit` if there is another page."""
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursor((last["name"], last["id"])) if last is not None else None
    return Page[T](entries=[entry(**row) for row in rows[:limit]], next=following)
