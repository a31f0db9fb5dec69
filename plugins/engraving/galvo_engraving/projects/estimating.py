"""How long the laser will be busy with a project: what the job `estimate` says, without a worker.

Whoever makes a project of a template names no parts: then it is what its drawing says.
"""

from __future__ import annotations

from typing import Any

import msgspec

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.boxes.exports import project_lengths
from galvo_engraving.database import Database
from galvo_engraving.jobs.estimate import CannotEstimate, seconds
from galvo_engraving.materials.cutting import nearest
from galvo_engraving.problems import Conflict
from galvo_engraving.projects.owning import owned
from galvo_engraving.projects.page import PARTS

SHEET = """
select id, user_id, name, template_id, parameters, material_id, machine_id, thickness_mm::float8 as thickness_mm
from engraving.project where id = $1"""
SETTINGS = """
select operation, thickness_mm::float8 as thickness_mm, speed_mm_s::numeric::float8 as speed_mm_s, passes,
       interval_mm::numeric::float8 as interval_mm
from engraving.laser_setting where material_id = $1 and machine_id = $2 order by thickness_mm nulls last"""
NONE = {"speed_mm_s": None}


async def estimated(db: Database, who: Visitor, project: int) -> dict[str, Any]:
    """Seconds: in all, and by operation. Raises Conflict, Unknown; without parts Unfit, Busy as well."""
    sheet = owned(await db.fetchrow(SHEET, project), who)
    parts = await db.fetch(PARTS, project)
    worked = parts or await _drawn(db, sheet)
    settings = await db.fetch(SETTINGS, sheet["material_id"], sheet["machine_id"])
    chosen = {
        operation: nearest((one for one in settings if one["operation"] == operation), sheet["thickness_mm"])
        for operation in {part["operation"] for part in worked}
    }
    try:
        found = seconds({**part, **(chosen[part["operation"]] or NONE)} for part in worked)
    except CannotEstimate as error:
        raise Conflict(str(error)) from None
    by_operation = {operation: round(value, 1) for operation, value in found.items()}
    return {
        "project": project,
        "from": "parts" if parts else "drawing",
        "parts": len(parts),
        "seconds": round(sum(by_operation.values()), 1),
        "by_operation": by_operation,
    }


async def _drawn(db: Database, sheet: Any) -> list[dict[str, Any]]:
    return await project_lengths(
        db,
        template=sheet["template_id"],
        material=sheet["material_id"],
        machine=sheet["machine_id"],
        thickness=sheet["thickness_mm"],
        stored=msgspec.json.decode(sheet["parameters"]),
        name=sheet["name"],
    )
