"""Uploading pictures, and looking at them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from galvo_engraving import bodies
from galvo_engraving.accounts.models import Line
from galvo_engraving.accounts.tokens import SignedIn
from galvo_engraving.jobs.engrave import limits
from galvo_engraving.jobs.raster import digest_of
from galvo_engraving.params import PAGE, After, Id, Limit, Page
from galvo_engraving.pictures import checking, store, thumbnails
from galvo_engraving.pictures.bench import AtBench, closing
from galvo_engraving.pictures.models import Picture
from galvo_engraving.pictures.rasters import router as rasters
from galvo_engraving.problems import Conflict, answers
from galvo_engraving.shop import Db, InShop

router = APIRouter(tags=["pictures"], lifespan=closing)
router.include_router(rasters)

LARGEST = 1 << 30
"""Bytes; the settings say less."""
FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
BODY = {"requestBody": {"required": True, "content": dict.fromkeys(checking.TYPES.values(), FILE)}}
NAME = "picture"
Side = Annotated[int, Query(ge=16, le=1024, description="Pixels of the longer side, at most.")]
SAFE = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}
"""A picture that somebody has sent is not to be taken for a page."""


def _file(description: str, *types: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": dict.fromkeys(types, FILE)}}


@router.post(
    "/images",
    status_code=201,
    max_body_size=LARGEST,
    openapi_extra=BODY,
    responses={200: {"model": Picture, "description": "It was there."}, **answers(400, 401, 409, 413, 415, 422)},
)
async def upload(
    who: SignedIn, shop: InShop, bench: AtBench, request: Request, response: Response,
    name: Annotated[Line, Query()] = NAME,
) -> Picture:  # fmt: skip
    """Send a picture: PNG, JPEG, WebP, TIFF or GIF, as the body. The same contents again are the same picture."""
    media_type = checking.declared(request.headers.get("content-type", ""))
    async with bench.receiving.body(request, shop.settings.image_bytes) as contents:
        found = await checking.checked(contents, media_type, name, limits(shop.settings))
        digest = await digest_of(contents)
        picture = await store.same(shop.db, who.id, digest)
        if picture is None:

            async def given() -> bytes:
                return contents

            await thumbnails.small(shop, digest, given, name)  # what ends too early tells only who decodes it
            most = shop.settings.user_bytes
            picture = await store.add(shop.db, who.id, name, found, digest, contents, most)
            if picture is not None:
                return picture
            picture = await store.same(shop.db, who.id, digest)  # sent twice at once
    if picture is None:
        raise Conflict("the same picture was deleted meanwhile: send it again")
    response.status_code = 200
    return picture


@router.get("/images", responses=answers(400, 401, 422))
async def pictures(who: SignedIn, db: Db, after: After = "", limit: Limit = PAGE) -> Page[Picture]:
    """Your pictures, the newest first."""
    found, further = await store.page(db, who.id, after, limit)
    return Page[Picture](entries=found, next=further)


@router.get("/images/{id}", responses=answers(401, 404, 422))
async def picture(id: Id, who: SignedIn, db: Db) -> Picture:
    return Picture(**await store.own(db, id, who.id))


@router.delete("/images/{id}", status_code=204, responses=answers(401, 404, 422))
async def delete(id: Id, who: SignedIn, db: Db) -> None:
    """With everything that was made of it."""
    await store.delete(db, id, who.id)


@router.get(
    "/images/{id}/contents",
    response_class=Response,
    responses={**_file("The file as it was sent.", *checking.TYPES.values()), 304: {}, **answers(401, 404, 422)},
)
async def contents(id: Id, who: SignedIn, db: Db, request: Request) -> Response:
    """The file as it was sent."""
    row = await store.own(db, id, who.id)
    etag = f'"{row["digest"]}"'
    known = etag in request.headers.get("if-none-match", "")
    made = bodies.answer(request, b"" if known else await store.contents(db, id), etag, row["media_type"])
    named = f"attachment; filename*=UTF-8''{quote(row['name'], safe='')}"
    made.headers.update({**SAFE, "content-disposition": named})
    return made


@router.get(
    "/images/{id}/thumbnail",
    response_class=Response,
    responses={**_file("A small WebP.", thumbnails.MEDIA_TYPE), 304: {}, **answers(401, 404, 422)},
)
async def thumbnail(id: Id, who: SignedIn, shop: InShop, request: Request, side: Side = thumbnails.USUAL) -> Response:
    """It small, and upright."""
    row = await store.own(shop.db, id, who.id)
    body, etag = await thumbnails.small(shop, row["digest"], lambda: store.contents(shop.db, id), row["name"], side)
    made = bodies.answer(request, body, etag, thumbnails.MEDIA_TYPE)
    made.headers.update(SAFE)
    return made
