"""The shop's machines: everybody looks, staff writes."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from galvo_engraving.accounts.tokens import Staff
from galvo_engraving.bodies import UNCHANGED, kept
from galvo_engraving.machines import store
from galvo_engraving.machines.models import Machine, MachineChange, Machines, NewMachine
from galvo_engraving.params import Id
from galvo_engraving.problems import answers
from galvo_engraving.shop import Db

router = APIRouter(prefix="/machines", tags=["machines"])


@router.get("", response_model=Machines, responses=UNCHANGED)
async def everything(request: Request, db: Db) -> Response:
    """All of them, by name."""
    return await kept(request, db, store.ALL_KEY, partial(store.everything, db), depends_on=store.TABLES)


@router.get("/{machine_id}", response_model=Machine, responses=answers(404, 422) | UNCHANGED)
async def read(request: Request, machine_id: Id, db: Db) -> Response:
    load = partial(store.read, db, machine_id)
    return await kept(request, db, f"machine:{machine_id}", load, depends_on=store.TABLES)


@router.post("", status_code=201, responses=answers(401, 403, 409, 422))
async def add(asked: NewMachine, who: Staff, db: Db) -> Machine:
    """A new one, without laser settings yet."""
    return await store.add(db, asked)


@router.patch("/{machine_id}", responses=answers(401, 403, 404, 409, 422))
async def change(machine_id: Id, asked: MachineChange, who: Staff, db: Db) -> Machine:
    """What is given; the rest stays."""
    return await store.change(db, machine_id, asked)


@router.delete("/{machine_id}", status_code=204, responses=answers(401, 403, 404, 409, 422))
async def remove(machine_id: Id, who: Staff, db: Db) -> None:
    """With its laser settings, unless there are projects on it."""
    await store.remove(db, machine_id)
