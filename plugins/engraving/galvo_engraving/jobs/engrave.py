"""The dots of a picture that is in the database, by the raster that was asked for."""

from __future__ import annotations

from typing import Any

from galvo import GalvoError
from galvo_engraving.config import EngravingSettings, read
from galvo_engraving.database import Queries
from galvo_engraving.jobs import dots
from galvo_engraving.jobs.raster import engraved
from galvo_engraving.jobs.wanted import Wanted
from galvo_memory.images import Limits
from galvo_tasks.jobs import progress
from galvo_tasks.running import worker_kernel

ASKED = """
select r.width_mm, r.height_mm, r.dots_per_mm, r.gamma, r.dither, r.image_id, i.name, i.digest, i.width, i.height
from engraving.raster r join engraving.image i on i.id = r.image_id where r.id = $1"""
CONTENTS = "select contents from engraving.image where id = $1"


class PictureGone(GalvoError):
    """It was deleted before its turn came."""


async def engrave(raster: str) -> dict[str, Any]:
    """The task, by the raster's id. Gives width, height, burned, key; the dots themselves are in engraving.dots.

    Raises PictureGone, ImageProblem.
    """
    return await made(worker_kernel(), raster, read())


async def made(db: Queries, raster: str, settings: EngravingSettings, *, isolated: bool = False) -> dict[str, Any]:
    """The same in any process. Found rather than made where the same was asked for before."""
    row: Any = await db.fetchrow(ASKED, raster)
    if row is None:
        raise PictureGone("the picture was deleted")
    wanted, digest = Wanted.of(row), row["digest"]
    key = wanted.key(digest)
    found: Any = await dots.find(db, key, settings.image_ttl)
    if found is None:
        progress(0, wanted.size(row["width"], row["height"])[1], "lines")
        contents = await db.fetchval(CONTENTS, row["image_id"])
        if contents is None:
            raise PictureGone("the picture was deleted")
        found = await engraved(contents, wanted, name=row["name"], limits=limits(settings), isolated=isolated)
        await dots.keep(db, key, digest, found, settings.image_ttl)
    return {"width": found["width"], "height": found["height"], "burned": found["burned"], "key": key}


def limits(settings: EngravingSettings) -> Limits:
    return Limits(pixels=settings.image_pixels, size=settings.image_bytes)
