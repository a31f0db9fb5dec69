"""The application: every resource's routes, how errors look, who may ask."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI

from galvo_engraving import problems
from galvo_engraving.accounts.routes import router as accounts
from galvo_engraving.boxes.routes import router as boxes
from galvo_engraving.files.routes import router as files
from galvo_engraving.machines.routes import router as machines
from galvo_engraving.materials.routes import router as materials
from galvo_engraving.materials.settings_routes import router as settings
from galvo_engraving.page import headers
from galvo_engraving.page.routes import router as page
from galvo_engraving.pictures.routes import router as pictures
from galvo_engraving.projects.routes import router as projects
from galvo_engraving.serving import away, dashboard
from galvo_engraving.serving.health import router as health
from galvo_engraving.shop import Shop
from galvo_engraving.templates.routes import router as templates

API = "/api"
BODY = 1 << 20
"""Bytes of a request that says nothing else."""
Opening = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Sets `app.state.shop` as long as the application runs."""


def create_app(opening: Opening | None = None, *, shop: Shop | None = None, hosts: Collection[str] = ()) -> FastAPI:
    """With what it needs: opened when a server starts it, or given; `hosts`: its names, besides this machine's."""
    app = FastAPI(
        title="Engraving",
        version=version("galvo-engraving"),
        description="The backend of a laser-engraving shop, on galvo.",
        lifespan=opening,
        docs_url=None,  # page/ has it, without a CDN
        redoc_url=None,
        max_body_size=BODY,
    )
    if shop is not None:
        app.state.shop = shop
    problems.install(app)
    away.install(app)
    headers.install(app)
    # The most used first: each route that does not match costs some microseconds.
    for router in (templates, projects, materials, settings, boxes, pictures, accounts, machines, files):
        app.include_router(router, prefix=API)
    app.include_router(page)
    app.include_router(health)
    if shop is not None:
        dashboard.mount(app, shop, hosts)
    return app
