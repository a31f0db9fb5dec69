"""Imports of libraries and catalogues, exports of projects."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from galvo_engraving.accounts.tokens import SignedIn, Staff
from galvo_engraving.files import exports, lightburn
from galvo_engraving.files.bodies import JSON, LARGEST, contents, documented
from galvo_engraving.files.catalogue import Catalogue
from galvo_engraving.files.library import BadFile
from galvo_engraving.files.merging import merge
from galvo_engraving.files.models import CatalogueImported, LibraryImported, Mode
from galvo_engraving.files.shelving import prepared, shelve
from galvo_engraving.params import AnId, Id
from galvo_engraving.problems import Unfit, answers
from galvo_engraving.shop import Db

router = APIRouter(tags=["files"])
XML = ("application/xml", "text/xml", "application/octet-stream")
CLB = "application/xml"
SVG = "image/svg+xml"
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in XML},
        "description": "A LightBurn material library (.clb).",
    }
}


@router.post(
    "/materials/import",
    responses=answers(400, 401, 403, 404, 409, 413, 415, 422),
    openapi_extra=BODY,
    max_body_size=LARGEST,
)
async def import_library(
    who: Staff, db: Db, request: Request, machine_id: AnId, mode: Mode = "merge"
) -> LibraryImported:
    """Settings of a LightBurn library for one machine; materials that the shop does not have are added.

    All of them or none. With mode=add settings that differ are left as they are.
    """
    body = await contents(request, *XML)
    try:
        library = await asyncio.to_thread(lightburn.read, body)
    except BadFile as bad:
        raise Unfit(str(bad)) from None
    return await merge(db, library, machine_id, mode)


@router.post(
    "/templates/import",
    responses=answers(400, 401, 403, 409, 413, 415, 422),
    openapi_extra=documented(Catalogue),
    max_body_size=LARGEST,
)
async def import_catalogue(who: Staff, db: Db, request: Request, mode: Mode = "add") -> CatalogueImported:
    """Box templates with their parameters: all of them or none. mode=merge replaces those that are there."""
    body = await contents(request, JSON)
    # In a thread: a second for a large one, in which nobody else would be answered.
    return await shelve(db, await asyncio.to_thread(prepared, body), mode)


@router.get(
    "/projects/{project}/export.clb",
    response_class=Response,
    responses={200: {"content": {CLB: {"schema": {"type": "string"}}}}, **answers(401, 404, 422)},
)
async def export_settings(who: SignedIn, db: Db, project: Id) -> Response:
    """The laser settings of its material and thickness, as a LightBurn library."""
    row = await exports.project_row(db, who, project)
    body = await exports.settings_of(db, row)
    return Response(body, media_type=CLB, headers=exports.attached(row["name"], "clb"))


@router.get(
    "/projects/{project}/export.svg",
    response_class=Response,
    responses={200: {"content": {SVG: {"schema": {"type": "string"}}}}, **answers(401, 404, 422, 503)},
)
async def export_panels(who: SignedIn, db: Db, project: Id) -> Response:
    """Its panels on the machine's beds, in mm, a colour for each operation: LightBurn's C00, C01 and C02.

    They are moved by half of the kerf already: the laser's software is not to do it again.
    """
    row = await exports.project_row(db, who, project)
    body = await exports.panels_of(db, row)
    return Response(body, media_type=SVG, headers=exports.attached(row["name"], "svg"))
