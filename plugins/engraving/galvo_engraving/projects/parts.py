"""The parts of a project."""

from __future__ import annotations

from typing import Any

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.database import Database, Queries
from galvo_engraving.problems import Conflict, Unknown
from galvo_engraving.projects.owning import locked, owned
from galvo_engraving.projects.pieces import NewPart, PartChange

MOST = 200
"""Of one project: its page shows them all."""
COLUMNS = """id, name, operation, quantity, width_mm::numeric::float8 as width_mm,
          height_mm::numeric::float8 as height_mm, path_mm::numeric::float8 as path_mm"""
COUNT = "select count(*) from engraving.project_part where project_id = $1"
ADD = f"""
insert into engraving.project_part (project_id, name, operation, quantity, width_mm, height_mm, path_mm)
values ($1, $2, $3, $4, $5, $6, $7) returning {COLUMNS}"""  # noqa: S608  # ours
WHOSE = """
select part.id, part.project_id, p.user_id from engraving.project_part part
join engraving.project p on p.id = part.project_id where part.id = $1"""
# The project is named so that it is known without asking whose answers are touched.
CHANGE = f"""
update engraving.project_part set name = coalesce($3, name), operation = coalesce($4, operation),
       quantity = coalesce($5, quantity), width_mm = coalesce($6, width_mm), height_mm = coalesce($7, height_mm),
       path_mm = coalesce($8, path_mm)
where id = $1 and project_id = $2 returning {COLUMNS}"""  # noqa: S608  # ours
REMOVE = "delete from engraving.project_part where id = $1 and project_id = $2"


async def add(db: Database, who: Visitor, project: int, asked: NewPart) -> Any:
    """Its row. Raises Conflict, Unknown."""
    async with db.transaction() as tx:
        await locked(tx, who, project)
        if await tx.fetchval(COUNT, project) >= MOST:
            raise Conflict(f"a project has {MOST} parts at most: make another project of the rest")
        return await tx.fetchrow(ADD, project, *asked.model_dump().values())


async def change(db: Queries, who: Visitor, part: int, asked: PartChange) -> Any:
    """Its row. Raises Unknown."""
    whose = await _owned(db, who, part)
    row = await db.fetchrow(CHANGE, part, whose["project_id"], *asked.model_dump().values())
    if row is None:
        raise Unknown("the part was deleted meanwhile")
    return row


async def remove(db: Queries, who: Visitor, part: int) -> None:
    """Raises Unknown."""
    whose = await _owned(db, who, part)
    await db.execute(REMOVE, part, whose["project_id"])


async def _owned(db: Queries, who: Visitor, part: int) -> Any:
    return owned(await db.fetchrow(WHOSE, part), who, "part")
