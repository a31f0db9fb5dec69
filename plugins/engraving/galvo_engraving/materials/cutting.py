"""The setting that a sheet is worked with: of the nearest thickness, as jobs/estimate.py takes it."""

from __future__ import annotations

from decimal import Decimal

from galvo_engraving.database import Queries
from galvo_engraving.materials.settings import COLUMNS, Setting

NEAREST = f"""
select {COLUMNS} from engraving.laser_setting where material_id = $1 and operation = $3 and machine_id = $4
order by abs(thickness_mm - $2::numeric) nulls last, thickness_mm limit 1"""  # noqa: S608  # names of ours


async def setting_for(
    db: Queries, material: int, thickness: Decimal | float, operation: str, machine: int
) -> Setting | None:
    """The thinner one of two that are equally near, and one for any thickness if there is no other; None: none at all.

    `thickness` is in mm.
    """
    exact = Decimal(str(thickness)) if isinstance(thickness, float) else thickness
    row = await db.fetchrow(NEAREST, material, exact, operation, machine)
    return None if row is None else Setting(**row)
