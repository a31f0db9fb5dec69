"""The shelf of materials: everybody looks, staff writes."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from galvo_engraving.accounts.tokens import Staff
from galvo_engraving.bodies import UNCHANGED, kept, key_of
from galvo_engraving.materials import store
from galvo_engraving.materials.models import Families, MaterialChange, Materials, NewMaterial, Profile
from galvo_engraving.params import PAGE, After, Id, Limit, Search
from galvo_engraving.problems import answers
from galvo_engraving.shop import Db, shop

router = APIRouter(prefix="/materials", tags=["materials"])
Family = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Of this family only; empty: all.")]


@router.get("", response_model=Materials, responses=answers(400, 422) | UNCHANGED)
async def find(
    request: Request, search: Search = "", family: Family = "", after: After = "", limit: Limit = PAGE
) -> Response:
    """By name."""
    db = shop(request).db
    key = key_of("materials", family, search, after, limit)
    load = partial(store.find, db, family, search, after, limit)
    return await kept(request, db, key, load, depends_on=store.TABLES)


@router.get("/families", response_model=Families, responses=UNCHANGED)
async def families(request: Request, db: Db) -> Response:
    """What kinds of materials there are, and how many of each."""
    return await kept(request, db, store.FAMILIES_KEY, partial(store.families, db), depends_on=store.GROUPED)


@router.get("/{material_id}", response_model=Profile, responses=answers(404, 422) | UNCHANGED)
async def read(request: Request, material_id: Id) -> Response:
    """One, with the laser settings of all machines."""
    db = shop(request).db
    load = partial(store.read, db, material_id)
    return await kept(request, db, store.key(material_id), load, depends_on=store.TABLES)


@router.post("", status_code=201, responses=answers(401, 403, 409, 422))
async def add(asked: NewMaterial, who: Staff, db: Db) -> Profile:
    """A new one, without laser settings yet."""
    return await store.read(db, await store.add(db, asked))


@router.patch("/{material_id}", responses=answers(401, 403, 404, 409, 422))
async def change(material_id: Id, asked: MaterialChange, who: Staff, db: Db) -> Profile:
    """What is given; the rest stays."""
    await store.change(db, material_id, asked)
    return await store.read(db, material_id)


@router.delete("/{material_id}", status_code=204, responses=answers(401, 403, 404, 409, 422))
async def remove(material_id: Id, who: Staff, db: Db) -> None:
    """With its laser settings, unless there are projects of it."""
    await store.remove(db, material_id)
