"""The page at /, its files under /page/, and Swagger UI at /docs."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from galvo_engraving.bodies import answer
from galvo_engraving.page import files, headers
from galvo_engraving.problems import Unknown

router = APIRouter(include_in_schema=False)
POLICIES = {"page.html": headers.PAGE, "docs.html": headers.DOCS}


@router.get("/")
async def page(request: Request) -> Response:
    return _file(request, files.page(), "page.html")


@router.get("/docs")
async def docs(request: Request) -> Response:
    return _file(request, files.page(), "docs.html")


@router.get("/page/{name}")
async def own(request: Request, name: str) -> Response:
    return _file(request, files.page(), name)


@router.get("/page/swagger/{name}")
async def swagger(request: Request, name: str) -> Response:
    return _file(request, files.swagger(), name)


def _file(request: Request, known: dict[str, files.File], name: str) -> Response:
    """Kept by browsers, who ask each time whether it is still so: a new version of galvo is a new page at once."""
    found = known.get(name)
    if found is None:
        raise Unknown("the page has no such file: reload it, it may be of another version")
    told = answer(request, found.content, found.etag, found.media_type)
    if name in POLICIES:
        told.headers["content-security-policy"] = POLICIES[name]
    return told
