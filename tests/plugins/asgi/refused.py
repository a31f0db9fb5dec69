"""Applications whose kernel is made from the settings when they start."""

from __future__ import annotations

import logging
from typing import Any

from starlette.applications import Starlette

from galvo_asgi import lifespan, with_kernel

logging.getLogger("galvo").setLevel(logging.ERROR)  # there is no entrypoints.toml, which is told


async def app(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nobody asks it")


starlette = Starlette(lifespan=lifespan())
wrapped = with_kernel(app)
