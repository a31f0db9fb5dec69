"""What a preview is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from galvo_engraving.boxes.sheet import chosen
from galvo_engraving.boxes.values import Value, fitting
from galvo_engraving.database import Queries
from galvo_engraving.machines import store as machines
from galvo_engraving.materials.cutting import setting_for
from galvo_engraving.problems import Unfit, Unknown

TABLES = (
    "engraving.box_template",
    "engraving.box_parameter",
    "engraving.material",
    "engraving.laser_setting",
    "engraving.machine",
)
TEMPLATE = "select slug, name from engraving.box_template where id = $1"
PARAMETERS = """
select name, kind, unit, default_value, minimum, maximum, choices
from engraving.box_parameter where template_id = $1 order by position"""
MATERIAL = "select id from engraving.material where id = $1"
MACHINE = "select id, bed_width_mm, bed_height_mm from engraving.machine where id = $1"


@dataclass(frozen=True, slots=True)
class Cut:
    """What is drawn, of what, on what (mm)."""

    slug: str
    name: str
    values: Mapping[str, Value]
    bed: tuple[float, float] | None


async def read(
    db: Queries,
    template: int,
    given: Mapping[str, Any],
    material: int | None,
    machine: int | None,
    thickness: float | None,
    *,
    lenient: bool = False,
) -> Cut:
    """Raises Unknown without the template; Unfit when what it is made of, or on, is not there or does not fit.

    `lenient`: values that do not fit the template any more are left at its defaults.
    """
    row = await db.fetchrow(TEMPLATE, template)
    if row is None:
        raise Unknown("there is no such template")
    parameters = await db.fetch(PARAMETERS, template)
    bed = None
    if machine is not None:
        bed = await db.fetchrow(MACHINE, machine)
        if bed is None:
            raise Unfit("machine_id: there is no such machine")
    if lenient:
        given = fitting(parameters, given)
    kerf = None
    if material is not None:
        if await db.fetchrow(MATERIAL, material) is None:
            raise Unfit("material_id: there is no such material")
        measured = thickness if thickness is not None else _thickness(row["slug"], parameters, given)
        whose = machine or await machines.first(db)
        setting = await setting_for(db, material, measured, "cut", whose) if whose else None
        kerf = setting.kerf_mm if setting else None
    values = chosen(row["slug"], parameters, given, thickness=thickness, kerf=kerf)
    return Cut(row["slug"], row["name"], values, bed and (bed["bed_width_mm"], bed["bed_height_mm"]))


def _thickness(slug: str, parameters: list[Any], given: Mapping[str, Any]) -> float:
    return float(chosen(slug, parameters, given).get("thickness", 3.0))
