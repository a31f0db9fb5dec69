"""The setting that a sheet is worked with: of the nearest thickness. jobs/estimate.py says the same in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from galvo_engraving.database import Queries
from galvo_engraving.materials.settings import COLUMNS, Setting

OF_A_MACHINE = f"""
select {COLUMNS} from engraving.laser_setting where material_id = $1 and operation = $2 and machine_id = $3
order by thickness_mm nulls last"""  # noqa: S608  # names of ours


async def setting_for(
    db: Queries, material: int, thickness: Decimal | float, operation: str, machine: int
) -> Setting | None:
    """As `nearest`."""
    row = nearest(await db.fetch(OF_A_MACHINE, material, operation, machine), float(thickness))
    return None if row is None else Setting(**row)


def nearest(settings: Iterable[Mapping[str, Any]], thickness: float) -> Any:
    """That of the nearest thickness (mm), the thinner one of two; one for any thickness only if there is no other.

    None: there is none at all. `settings` are in the order of their thickness.
    """
    return min(settings, key=lambda one: _distance(one["thickness_mm"], thickness), default=None)


def _distance(found: float | None, thickness: float) -> float:
    return float("inf") if found is None else round(abs(float(found) - thickness), 2)
