"""galvo's dashboard inside of the application, for the staff."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import Request as AnyRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from galvo_engraving.accounts import tokens
from galvo_engraving.serving.away import LOST, SENTENCE
from galvo_engraving.shop import Shop
from galvo_monitor.hosts import LOOPBACK
from galvo_monitor.page import mounted

PATH = "/galvo"


def mount(app: FastAPI, shop: Shop, hosts: Collection[str] = ()) -> None:
    """At `PATH`; `hosts`: names by which the application is reached, besides those of this machine."""
    if shop.kernel is None:
        app.router.routes.append(Route(PATH, _without))
        return

    async def staff(request: AnyRequest) -> bool:
        try:
            who = await tokens.admitted(shop.db, tokens.token_of(request))
        except LOST:
            raise HTTPException(503, SENTENCE, {"retry-after": "1"}) from None
        return who is not None and who.staff

    app.router.routes.append(Mount(PATH, mounted(shop.kernel, auth=staff, hosts=(*LOOPBACK, *hosts))))


async def _without(request: Request) -> Response:
    return JSONResponse({"problem": "this application runs without galvo, so there is no dashboard of it"}, 404)
