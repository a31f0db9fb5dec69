"""The tables of the engraving shop."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

TABLES = (
    "user_account",
    "material",
    "laser_setting",
    "box_template",
    "box_parameter",
    "project",
    "project_part",
    "job",
)
"""In the order in which they can be filled."""


async def create(db: Any) -> None:
    """Make what is missing. `db` is an asyncpg connection or pool, or a galvo kernel."""
    await db.execute(files(__package__).joinpath("schema.sql").read_text("utf-8"))


async def drop(db: Any) -> None:
    """Remove the whole shop, data included."""
    await db.execute("drop schema if exists engraving cascade")
