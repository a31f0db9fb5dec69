"""Engraving pictures: asked for, followed, shown, cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from hashlib import blake2b
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.sse import EventSourceResponse

from galvo_engraving import bodies
from galvo_engraving.accounts import tokens
from galvo_engraving.accounts.tokens import SignedIn
from galvo_engraving.database import Queries
from galvo_engraving.jobs import dots
from galvo_engraving.jobs.wanted import Wanted
from galvo_engraving.params import Id
from galvo_engraving.pictures import asked, store, watching
from galvo_engraving.pictures.bench import AtBench
from galvo_engraving.pictures.models import Raster, RasterRequest
from galvo_engraving.pictures.told import ENDED
from galvo_engraving.problems import Away, Conflict, answers, told
from galvo_engraving.shop import Db, InShop

router = APIRouter()
RasterId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
PNG = "image/png"
FILE = {"description": "One bit a dot; black is burned.", "content": {PNG: {}}}


async def _own(id: RasterId, who: SignedIn, db: Db) -> Any:
    return await asked.own(db, id, who.id)


Own = Annotated[Any, Depends(_own)]


async def _followed(row: Own, who: SignedIn, bench: AtBench) -> AsyncIterator[Any]:
    """As long as the answer takes."""
    with bench.followers.one_more(who.id):
        yield row


Followed = Annotated[Any, Depends(_followed)]


@router.post(
    "/images/{id}/rasters",
    status_code=202,
    responses={200: {"model": Raster, "description": "The dots are there."}, **answers(401, 404, 422, 429, 503)},
)
async def ask(id: Id, wanted: RasterRequest, who: SignedIn, shop: InShop, bench: AtBench, response: Response) -> Raster:
    """Have the dots made that the laser burns. What was made already, or is being made, is not made again."""
    db = shop.db
    image = await store.own(db, id, who.id)
    machine = await asked.machine_of(db, wanted.machine_id)
    exactly = wanted.wanted(machine["dots_per_mm"])
    asked.fits(exactly, machine, image["width"], image["height"], shop.settings.image_pixels)
    there = await dots.find(db, exactly.key(image["digest"]), shop.settings.image_ttl)
    earlier = await asked.same(db, id, machine["id"], exactly)
    if earlier is not None:
        seen = await watching.look(shop, bench, await asked.own(db, earlier, who.id))
        if there is not None:
            response.status_code = 200
            return seen.model_copy(update={"cached": True})
        if seen.state not in ENDED and await bench.maker(shop, earlier).look(earlier) is not None:
            return seen
    maker = bench.maker(shop)
    name, key = maker.named()
    if there is not None:
        await _add(db, id, machine["id"], exactly, name)
        response.status_code = 200
    else:
        async with bench.unfinished.one_more(who.id, name, partial(bench.ended, shop)) as further:
            await _add(db, id, machine["id"], exactly, name)
            try:
                await maker.begin(shop, name, key, further)
            except Away:
                await asked.remove(db, name)
                raise
    return await watching.look(shop, bench, await asked.own(db, name, who.id))


async def _add(db: Queries, image: int, machine: int, wanted: Wanted, name: str) -> None:
    """Raises Unknown."""
    try:
        await asked.add(db, image, machine, wanted, name)
    except asyncpg.ForeignKeyViolationError:
        raise store.unknown(image) from None  # deleted just now


@router.get("/rasters/{id}", responses=answers(401, 404, 422, 503))
async def raster(row: Own, shop: InShop, bench: AtBench) -> Raster:
    """Where it is."""
    return await watching.look(shop, bench, row)


@router.get("/rasters/{id}/events", response_class=EventSourceResponse, responses=told(401, 404, 422, 429))
async def events(row: Followed, shop: InShop, bench: AtBench, request: Request) -> AsyncIterator[Raster]:
    """Where it is, each time that changes, until it has ended, or whoever follows it has signed out."""
    token = tokens.token_of(request)
    async with aclosing(watching.follow(shop, bench, row)) as updates:
        try:
            async for seen in updates:
                if await tokens.admitted(shop.db, token) is None:
                    return
                yield seen
        except Away:  # the client asks again by itself
            return


@router.get(
    "/rasters/{id}/dots.png",
    response_class=Response,
    responses={200: FILE, 304: {}, **answers(401, 404, 409, 422, 503)},
)
async def picture(row: Own, shop: InShop, bench: AtBench, request: Request) -> Response:
    """What is burned: black."""
    key = watching.key_of(row)
    found = await dots.find(shop.db, key, shop.settings.image_ttl, whole=True)
    if found is None:
        seen = await watching.look(shop, bench, row)
        found = await watching.surely(shop, row, whole=True) if seen.state == "done" else None
        if found is None:
            raise Conflict(seen.problem or f"it is {seen.state}: GET /api/rasters/{{id}}/events tells when it is done")
    etag = f'"{blake2b(key.encode(), digest_size=12).hexdigest()}"'
    made = bodies.answer(request, found["png"], etag, PNG)
    made.headers["x-content-type-options"] = "nosniff"
    return made


@router.delete("/rasters/{id}", responses=answers(401, 404, 422, 503))
async def cancel(row: Own, shop: InShop, bench: AtBench) -> Raster:
    """Have it end, if it has not; gives where it is then."""
    await bench.maker(shop, row["id"]).cancel(row["id"])
    return await watching.look(shop, bench, row)
