"""Rasters that were asked for, in the database."""

from __future__ import annotations

from typing import Any

from galvo_engraving.database import Queries
from galvo_engraving.jobs.wanted import Wanted
from galvo_engraving.machines import store as machines
from galvo_engraving.problems import Unfit, Unknown

ROW = """
select r.id, r.image_id, r.machine_id, r.width_mm, r.height_mm, r.dots_per_mm, r.gamma, r.dither, r.created_at,
       i.digest, i.width as image_width, i.height as image_height
from engraving.raster r join engraving.image i on i.id = r.image_id where r.id = $1 and i.user_id = $2"""
SAME = """
select id from engraving.raster
where image_id = $1 and machine_id = $2 and width_mm = $3 and height_mm is not distinct from $4
    and dots_per_mm = $5 and gamma = $6 and dither = $7
order by created_at desc, id limit 1"""
ADD = """
insert into engraving.raster (image_id, machine_id, width_mm, height_mm, dots_per_mm, gamma, dither, id)
values ($1, $2, $3, $4, $5, $6, $7, $8)"""
REMOVE = "delete from engraving.raster where id = $1"
MACHINE = "select id, name, bed_width_mm, bed_height_mm, dots_per_mm from engraving.machine where id = $1"


async def own(db: Queries, id: str, user: int) -> Any:
    """Its row, with what is known of its picture. Raises Unknown."""
    row = await db.fetchrow(ROW, id, user)
    if row is None:
        raise Unknown("you have no such raster: POST /api/images/{id}/rasters asks for one")
    return row


async def same(db: Queries, image: int, machine: int, wanted: Wanted) -> str | None:
    """The id of the latest that is just like this."""
    found: str | None = await db.fetchval(SAME, image, machine, *_values(wanted))
    return found


async def add(db: Queries, image: int, machine: int, wanted: Wanted, id: str) -> None:
    await db.execute(ADD, image, machine, *_values(wanted), id)


async def remove(db: Queries, id: str) -> None:
    await db.execute(REMOVE, id)


async def machine_of(db: Queries, id: int | None) -> Any:
    """Its row; without an id the first one's. Raises Unfit."""
    row = await db.fetchrow(MACHINE, id or await machines.first(db))
    if row is None:
        raise Unfit("machine_id: there is no such machine: GET /api/machines lists them")
    return row


def fits(wanted: Wanted, machine: Any, width: int, height: int, most: int) -> None:
    """`width` x `height`: of the picture, pixels; `most`: dots. Raises Unfit."""
    across, down = wanted.size(width, height)
    if across * down > most:
        raise Unfit(f"{across:,} x {down:,} dots are more than {most:,}: make it smaller, or take fewer dots_per_mm")
    bed = machine["bed_width_mm"], machine["bed_height_mm"]
    size = wanted.width_mm, wanted.height_mm or round(down / wanted.dots_per_mm, 2)
    if size[0] > bed[0] or size[1] > bed[1]:
        raise Unfit(
            f"{size[0]:g} x {size[1]:g} mm do not fit on the bed of {machine['name']}, {bed[0]:g} x {bed[1]:g} mm: "
            "make it smaller"
        )


def _values(wanted: Wanted) -> tuple[Any, ...]:
    return wanted.width_mm, wanted.height_mm, wanted.dots_per_mm, wanted.gamma, wanted.dither
