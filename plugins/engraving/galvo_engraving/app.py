"""The application: every resource's routes, how errors look, who may ask."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI

from galvo_engraving import problems
from galvo_engraving.accounts.routes import router as accounts
from galvo_engraving.projects.pieces_routes import router as pieces
from galvo_engraving.projects.routes import router as projects
from galvo_engraving.shop import Shop

API = "/api"
BODY = 1 << 20
"""Bytes of a request that says nothing else."""
Opening = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Sets `app.state.shop` as long as the application runs."""


def create_app(opening: Opening | None = None, *, shop: Shop | None = None) -> FastAPI:
    """With what it needs: opened when a server starts it, or given."""
    app = FastAPI(
        title="Engraving",
        version=version("galvo-engraving"),
        description="The backend of a laser-engraving shop, on galvo.",
        lifespan=opening,
        max_body_size=BODY,
    )
    if shop is not None:
        app.state.shop = shop
    problems.install(app)
    for router in (accounts, projects, pieces):
        app.include_router(router, prefix=API)
    return app
