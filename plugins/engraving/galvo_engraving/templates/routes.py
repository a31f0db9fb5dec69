"""The gallery of templates: everybody looks, staff writes."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from galvo_engraving.accounts.tokens import Staff
from galvo_engraving.bodies import UNCHANGED, kept, key_of
from galvo_engraving.params import PAGE, After, Id, Limit, Search
from galvo_engraving.problems import answers
from galvo_engraving.shop import Db, shop
from galvo_engraving.templates import store
from galvo_engraving.templates.models import Groups, NewParameters, NewTemplate, Template, TemplateChange, Templates

router = APIRouter(prefix="/templates", tags=["templates"])
Group = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Of this group only; empty: all.")]


@router.get("", response_model=Templates, responses=answers(400, 422) | UNCHANGED)
async def find(
    request: Request, search: Search = "", group: Group = "", after: After = "", limit: Limit = PAGE
) -> Response:
    """By name."""
    db = shop(request).db
    key = key_of("templates", group, search, after, limit)
    return await kept(request, db, key, partial(store.find, db, group, search, after, limit), depends_on=store.LISTED)


@router.get("/groups", response_model=Groups, responses=UNCHANGED)
async def groups(request: Request, db: Db) -> Response:
    """What kinds of templates there are, and how many of each."""
    return await kept(request, db, store.GROUPS_KEY, partial(store.groups, db), depends_on=store.LISTED)


@router.get("/{template_id}", response_model=Template, responses=answers(404, 422) | UNCHANGED)
async def read(request: Request, template_id: Id) -> Response:
    """One, with its parameters in order."""
    db = shop(request).db
    load = partial(store.read, db, template_id)
    return await kept(request, db, store.key(template_id), load, depends_on=store.TABLES)


@router.post("", status_code=201, responses=answers(401, 403, 409, 422))
async def add(asked: NewTemplate, who: Staff, db: Db) -> Template:
    """A new one, without parameters yet."""
    return await store.read(db, await store.add(db, asked))


@router.patch("/{template_id}", responses=answers(401, 403, 404, 409, 422))
async def change(template_id: Id, asked: TemplateChange, who: Staff, db: Db) -> Template:
    """What is given; the rest stays."""
    await store.change(db, template_id, asked)
    return await store.read(db, template_id)


@router.put("/{template_id}/parameters", responses=answers(401, 403, 404, 422))
async def describe(template_id: Id, asked: NewParameters, who: Staff, db: Db) -> Template:
    """All of its parameters, instead of those it had."""
    await store.describe(db, template_id, asked.parameters)
    return await store.read(db, template_id)


@router.delete("/{template_id}", status_code=204, responses=answers(401, 403, 404, 409, 422))
async def remove(template_id: Id, who: Staff, db: Db) -> None:
    """Unless there are projects of it."""
    await store.remove(db, template_id)
