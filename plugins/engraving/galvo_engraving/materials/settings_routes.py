"""Laser settings: everybody looks, staff writes."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from galvo_engraving.accounts.tokens import Staff
from galvo_engraving.bodies import UNCHANGED, kept, key_of
from galvo_engraving.fields import Operation, Thickness
from galvo_engraving.materials import settings_store as store
from galvo_engraving.materials.settings import NewSetting, Setting, SettingChange, Settings
from galvo_engraving.materials.store import TABLES
from galvo_engraving.params import AnId, Id
from galvo_engraving.problems import answers
from galvo_engraving.shop import Db, shop

router = APIRouter(tags=["laser settings"])
Sheet = Annotated[Thickness | None, Query(description="Of exactly this one; left out: of all.")]


@router.get("/materials/{material_id}/settings", response_model=Settings, responses=answers(404, 422) | UNCHANGED)
async def find(
    request: Request,
    material_id: Id,
    thickness_mm: Sheet = None,
    operation: Operation | None = None,
    machine_id: AnId | None = None,
) -> Response:
    """Of a material, and of one thickness, operation and machine, where they are given."""
    db = shop(request).db
    exact = None if thickness_mm is None else thickness_mm.quantize(Decimal("0.01"))
    key = key_of("settings", material_id, str(exact), operation, machine_id)
    load = partial(store.find, db, material_id, exact, operation, machine_id)
    return await kept(request, db, key, load, depends_on=TABLES)


@router.post("/materials/{material_id}/settings", status_code=201, responses=answers(401, 403, 404, 409, 422))
async def add(material_id: Id, asked: NewSetting, who: Staff, db: Db) -> Setting:
    """For one thickness (null: any), operation and machine."""
    return await store.add(db, material_id, asked)


@router.patch("/settings/{setting_id}", responses=answers(401, 403, 404, 409, 422))
async def change(setting_id: Id, asked: SettingChange, who: Staff, db: Db) -> Setting:
    """What is given; the rest stays."""
    return await store.change(db, setting_id, asked)


@router.delete("/settings/{setting_id}", status_code=204, responses=answers(401, 403, 404, 422))
async def remove(setting_id: Id, who: Staff, db: Db) -> None:
    await store.remove(db, setting_id)
