"""A template as it would be cut, with the values of the address."""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from galvo_engraving import bodies
from galvo_engraving.boxes import store
from galvo_engraving.boxes.sheet import preview_svg
from galvo_engraving.boxes.turns import drawn
from galvo_engraving.fields import Measured
from galvo_engraving.params import AnId, Id
from galvo_engraving.problems import Unfit, answers
from galvo_engraving.shop import Db

router = APIRouter(tags=["templates"])

SVG = "image/svg+xml"
OWN = ("material_id", "thickness_mm", "machine_id")
MOST = 100
"""Parameters in an address; no template has as many."""
Thickness = Annotated[Measured, Query(description="Of the sheet.")]
FREE: dict[str, Any] = {
    "parameters": [
        {
            "in": "query",
            "name": "parameters",
            "description": "The template's own parameters by their names, such as `width=120`.",
            "schema": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 100}},
            "style": "form",
            "explode": True,
        }
    ]
}

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {SVG: {"schema": {"type": "string"}}}},
    **bodies.UNCHANGED,
    **answers(404, 422, 503),
}


@router.get(
    "/templates/{id}/preview",
    response_class=Response,
    responses=ANSWERS,
    openapi_extra=FREE,
)
async def preview(
    id: Id,
    request: Request,
    db: Db,
    material_id: AnId | None = None,
    thickness_mm: Thickness | None = None,
    machine_id: AnId | None = None,
) -> Response:
    """Its panels on one sheet, as SVG in mm; the kerf is the material's, unless it is given."""
    given = _given(request)
    asked = [id, material_id, thickness_mm, machine_id, sorted(given.items())]

    async def load() -> list[Any]:
        cut = await store.read(db, id, given, material_id, machine_id, thickness_mm)
        body = await drawn(preview_svg, cut.slug, cut.values, title=cut.name, bed_width=cut.bed and cut.bed[0])
        return [body, bodies.tag(body)]

    key = blake2b(msgspec.json.encode(asked), digest_size=16).hexdigest()
    body, etag = await db.cached(f"preview:{id}:{key}", load, depends_on=store.TABLES)
    return bodies.answer(request, body, etag, SVG)


def _given(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    pairs = request.query_params.multi_items()
    if len(pairs) > MOST:
        raise Unfit(f"these are more than {MOST} parameters")
    for name, value in pairs:
        if name in OWN:
            continue
        if name in found:
            raise Unfit("a parameter is given twice: give each one once")
        found[name] = value
    return found
