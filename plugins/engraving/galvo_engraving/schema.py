"""The tables of the engraving shop."""

from __future__ import annotations

from typing import Any

from galvo_engraving.migrate import migrate

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
"""Those that the generator fills, in the order in which they can be filled."""


async def create(db: Any) -> None:
    """Make what is missing. `db` is an asyncpg connection or pool, or a galvo kernel."""
    if hasattr(db, "acquire"):
        async with db.acquire() as connection:
            await migrate(connection)
    else:
        await migrate(db)


async def drop(db: Any) -> None:
    """Remove the whole shop, data included."""
    await db.execute("drop schema if exists engraving cascade")
