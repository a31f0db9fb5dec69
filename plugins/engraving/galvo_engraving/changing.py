"""Rows of which some columns change."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from galvo_engraving.database import Queries
from galvo_engraving.problems import Unfit


def changes(asked: BaseModel, *others: str) -> dict[str, Any]:
    """What a client wants to be different; `others` are fields that are no columns. Raises Unfit: nothing."""
    found = asked.model_dump(exclude_unset=True, exclude=set(others))
    if not found:
        known = [name for name in type(asked).model_fields if name not in others]
        raise Unfit(f"nothing would change: give at least one of {', '.join(known)}")
    return found


async def update(db: Queries, table: str, row: int, values: dict[str, Any], returning: str = "id") -> Any:
    """The row with this id afterwards; None: there is none. The names of columns are never a client's own."""
    columns = ", ".join(f"{column} = ${number}" for number, column in enumerate(values, 2))
    return await db.fetchrow(
        f"update engraving.{table} set {columns} where id = $1 returning {returning}",  # noqa: S608  # names of ours
        *(row, *values.values()),
    )
