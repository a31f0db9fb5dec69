"""A project as files for the machine: its panels, and what its sheet is worked with."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.boxes.exports import project_svg
from galvo_engraving.database import Database, Queries
from galvo_engraving.files.library import Cut, Library
from galvo_engraving.files.writing import write
from galvo_engraving.materials.cutting import setting_for
from galvo_engraving.problems import Unfit
from galvo_engraving.projects.owning import owned

PROJECT = """
select p.user_id, p.name, p.template_id, p.material_id, p.machine_id, p.thickness_mm, p.parameters,
    m.name as material, c.name as machine
from engraving.project p
join engraving.material m on m.id = p.material_id
join engraving.machine c on c.id = p.machine_id
where p.id = $1"""
OPERATIONS = ("cut", "score", "engrave")


async def project_row(db: Queries, who: Visitor, project: int) -> Any:
    """Raises Unknown."""
    return owned(await db.fetchrow(PROJECT, project), who)


async def settings_of(db: Queries, row: Any) -> bytes:
    """A LightBurn library of the settings that are nearest to the project's sheet, one for each operation there is.

    Raises Unfit.
    """
    cuts = []
    for operation in OPERATIONS:
        found = await setting_for(db, row["material_id"], row["thickness_mm"], operation, row["machine_id"])
        if found is not None:
            cuts.append(
                Cut(
                    thickness=None if found.thickness_mm is None else Decimal(str(found.thickness_mm)),
                    operation=operation,
                    speed=found.speed_mm_s,
                    power=found.power_pct,
                    passes=found.passes,
                    interval=found.interval_mm,
                    kerf=None,  # the panels of export.svg are moved by it already
                    air=found.air_assist,
                    title=operation.capitalize(),
                )
            )
    if not cuts:
        raise Unfit(
            f"{row['machine']} has no settings for {row['material']}: import a library, or take another material"
        )
    return write(Library(f"{row['name']} ({row['machine']})", {row["material"]: cuts}))


async def panels_of(db: Database, row: Any) -> bytes:
    """SVG. Raises Unfit."""
    stored = row["parameters"]
    return await project_svg(
        db,
        template=row["template_id"],
        material=row["material_id"],
        machine=row["machine_id"],
        thickness=float(row["thickness_mm"]),
        stored=json.loads(stored) if isinstance(stored, str) else stored,
        name=row["name"],
    )


def attached(name: str, ending: str) -> dict[str, str]:
    """Headers by which a browser saves it: RFC 6266, with a plain name for those that know no other."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:80] or "project"
    words = quote(f"{name}.{ending}", safe="")
    disposition = f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{words}"
    return {
        "content-disposition": disposition,
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache",
    }
