"""Projects: their owner's, and nobody else's."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from galvo_engraving.accounts.tokens import SignedIn, visitor
from galvo_engraving.bodies import JSON, PRIVATE, answer
from galvo_engraving.params import PAGE, After, Id, Limit, Page, Search
from galvo_engraving.problems import answers
from galvo_engraving.projects import store
from galvo_engraving.projects.models import NewProject, Project, ProjectChange, ProjectEntry, Revision, Status
from galvo_engraving.projects.page import page
from galvo_engraving.projects.pieces_routes import router as pieces
from galvo_engraving.shop import Db, shop

router = APIRouter(tags=["projects"])
SHOWN: dict[int | str, dict[str, Any]] = {200: {"model": Project}}
"""Encoded by hand: what its model says is checked by tests."""


# The first is found soonest: FastAPI tries one after the other.
@router.get("/projects/{project}", responses={**SHOWN, **answers(401, 404, 422)})
async def show(request: Request, project: Id) -> Response:
    """The page of a project."""
    # Without dependencies, which FastAPI takes as long to solve as a cache to answer.
    body, etag = await page(shop(request).db, await visitor(request), project)
    return answer(request, body, etag)


@router.get("/projects", responses=answers(400, 401, 422))
async def find(
    who: SignedIn, db: Db, search: Search = "", status: Status | None = None, after: After = "", limit: Limit = PAGE
) -> Page[ProjectEntry]:
    """My projects, the last changed first."""
    entries, following = await store.listed(db, who, search, status or "", after, limit)
    return Page(entries=[ProjectEntry(**one) for one in entries], next=following)


@router.post("/projects", status_code=201, responses={201: {"model": Project}, **answers(401, 409, 422)})
async def make(who: SignedIn, db: Db, asked: NewProject) -> Response:
    """A new project, and its page."""
    made = await store.make(db, who, asked)
    body, _ = await page(db, who, made)
    return Response(body, 201, {"location": f"/api/projects/{made}"}, JSON)


@router.patch("/projects/{project}", responses={**SHOWN, **answers(401, 404, 409, 422)})
async def change(who: SignedIn, db: Db, project: Id, asked: ProjectChange) -> Response:
    """What it was is kept as a revision."""
    await store.change(db, who, project, asked)
    return _page(*await page(db, who, project))


@router.delete("/projects/{project}", status_code=204, responses=answers(401, 404, 422))
async def remove(who: SignedIn, db: Db, project: Id) -> None:
    """With its parts, jobs and revisions."""
    await store.remove(db, who, project)


@router.get("/projects/{project}/revisions", responses=answers(400, 401, 404, 422))
async def revisions(who: SignedIn, db: Db, project: Id, after: After = "", limit: Limit = PAGE) -> Page[Revision]:
    """What the project was before its changes, the last one first."""
    entries, following = await store.revisions(db, who, project, after, limit)
    return Page(entries=[Revision(**one) for one in entries], next=following)


@router.post("/projects/{project}/revisions/{revision}/restore", responses={**SHOWN, **answers(401, 404, 409, 422)})
async def restore(who: SignedIn, db: Db, project: Id, revision: Id) -> Response:
    """Makes it what it was; what it is now is kept as a revision as well."""
    await store.restore(db, who, project, revision)
    return _page(*await page(db, who, project))


router.include_router(pieces)


def _page(body: bytes, etag: str) -> Response:
    return Response(body, media_type=JSON, headers={"cache-control": PRIVATE, "etag": etag})
