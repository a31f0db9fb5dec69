"""How long the laser will be busy with a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from galvo import GalvoError
from galvo_tasks.running import worker_kernel

TURN_MM = 4.0
"""What the head runs on at either end of an engraved line, to brake and to turn."""

PARTS = """
select part.name, part.operation, part.quantity, part.width_mm, part.height_mm, part.path_mm,
       setting.speed_mm_s, setting.passes, setting.interval_mm
from engraving.project p
left join engraving.project_part part on part.project_id = p.id
left join lateral (
    select s.speed_mm_s, s.passes, s.interval_mm from engraving.laser_setting s
    where s.material_id = p.material_id and s.operation = part.operation and s.machine_id = p.machine_id
    order by abs(s.thickness_mm - p.thickness_mm) nulls last, s.thickness_mm limit 1
) setting on true
where p.id = $1 order by part.id"""


class CannotEstimate(GalvoError):
    """The project is not there, or its material is not made for what is asked of it."""


async def estimate(project: int) -> dict[str, Any]:
    """Seconds on the machine: in all, and by operation. Raises CannotEstimate."""
    rows = await worker_kernel().fetch(PARTS, project)
    if not rows:
        raise CannotEstimate(f"there is no project {project}")
    by_operation = seconds(row for row in rows if row["operation"])
    found = {operation: round(value, 1) for operation, value in by_operation.items()}
    return {"project": project, "parts": len(rows), "seconds": round(sum(found.values()), 1), "by_operation": found}


def seconds(parts: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """By operation. Raises CannotEstimate."""
    found: dict[str, float] = {}
    for part in parts:
        operation, speed = part["operation"], part["speed_mm_s"]
        if speed is None or (operation == "engrave" and not part["interval_mm"]):
            raise CannotEstimate(f"{part['name']}: its material has no setting to {operation} it: choose another one")
        one = (_lines_mm(part) if operation == "engrave" else part["path_mm"]) / speed * part["passes"]
        found[operation] = found.get(operation, 0.0) + one * part["quantity"]
    return found


def _lines_mm(part: Mapping[str, Any]) -> float:
    lines = max(1.0, part["height_mm"] / part["interval_mm"])
    return float(lines * (part["width_mm"] + 2 * TURN_MM))
