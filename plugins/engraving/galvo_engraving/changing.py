"""Rows of which some columns change."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from galvo_engraving.database import Queries
from galvo_engraving.problems import Unfit


def changes(asked: BaseModel) -> dict[str, Any]:
    """What a client wants to be different. Raises Unfit: nothing."""
    found = asked.model_dump(exclude_unset=True)
    if not found:
        raise Unfit(f"nothing would change: give at least one of {', '.join(type(asked).model_fields)}")
    return found


async def update(db: Queries, table: str, row: int, values: dict[str, Any], returning: str = "id") -> Any:
    """The row with this id afterwards; None: there is none. The names of columns are never a client's own."""
    columns = ", ".join(f"{column} = ${number}" for number, column in enumerate(values, 2))
    return await db.fetchrow(
        f"update engraving.{table} set {columns} where id = $1 returning {returning}",  # noqa: S608  # names of ours
        *(row, *values.values()),
    )
