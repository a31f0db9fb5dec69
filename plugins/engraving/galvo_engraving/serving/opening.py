"""Opens what the application runs on: galvo with the plugins that are on, or a plain asyncpg pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import asyncpg

from galvo import Kernel, PluginError
from galvo.operating import plan
from galvo_engraving.config import EngravingSettings
from galvo_engraving.database import Plain
from galvo_engraving.serving.switched import LARGEST, Switched
from galvo_engraving.serving.toggles import Toggles
from galvo_engraving.shop import Shop

Overrides = Mapping[str, Mapping[str, Any]]


@asynccontextmanager
async def plain(
    url: str, settings: EngravingSettings, overrides: Overrides = MappingProxyType({}), root: Path = Path()
) -> AsyncIterator[Shop]:
    """Without galvo; with as many connections as its pool would have ("auto": `LARGEST`)."""
    sizes = _pool(root, overrides)
    most = sizes.max_size if sizes is not None and sizes.max_size != "auto" else LARGEST
    least = min(sizes.min_size if sizes is not None else 1, most)
    async with asyncpg.create_pool(url, min_size=least, max_size=most) as pool:
        yield Shop(Plain(pool), settings)


@asynccontextmanager
async def galvanised(settings: EngravingSettings, overrides: Overrides, root: Path = Path()) -> AsyncIterator[Shop]:
    """With galvo, by the settings in `root` and `overrides`; whatever is off, even the pool, is done without.

    Raises GalvoError.
    """
    # The application has a pool of its own for when galvo's is off.
    overrides = {**overrides, "pool": {**overrides.get("pool", {}), "required": False}}
    async with Kernel.from_settings(root, overrides=overrides) as kernel:
        db = Switched(kernel, partial(_url, kernel, root, overrides))
        shop = Shop(db, settings, kernel)
        shop.toggles = Toggles(shop, db)
        following = asyncio.create_task(db.follow())
        try:
            if not db.running:
                await db.leave()
            shop.toggles.look()
            yield shop
        finally:
            shop.toggles.cool()
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await db.close()


def _pool(root: Path, overrides: Overrides) -> Any:
    """The settings of galvo's pool, whether it is on or not; None: they are wrong."""
    made = plan(root, overrides, everything=True, warn=False)
    return next((one.settings for one in made.blueprints if one.name == "pool" and not one.failure), None)


async def _url(kernel: Kernel, root: Path, overrides: Overrides) -> str:
    """Where the pool leads to, whether it is on or not."""
    settings = _pool(root, overrides)
    if settings is not None and (url := settings.url.get_secret_value()):
        return str(url)
    servers = kernel.find_capability("servers")
    if servers is None:
        raise PluginError("pool", "no database: set GALVO_POOL__URL=postgresql://..., or GALVO_EMBEDDED__ON=true")
    return str(await servers.postgres())
