"""Opens what the application runs on: galvo with the plugins that are on, or a plain asyncpg pool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from galvo import Kernel
from galvo_engraving.config import EngravingSettings
from galvo_engraving.database import ByKernel, Plain
from galvo_engraving.shop import Shop


@asynccontextmanager
async def plain(url: str, settings: EngravingSettings) -> AsyncIterator[Shop]:
    """Without galvo."""
    async with asyncpg.create_pool(url, min_size=1) as pool:
        yield Shop(Plain(pool), settings)


@asynccontextmanager
async def galvanised(
    settings: EngravingSettings, overrides: Mapping[str, Mapping[str, Any]], root: Path = Path()
) -> AsyncIterator[Shop]:
    """With galvo, by the settings in `root` and `overrides`."""
    async with Kernel.from_settings(root, overrides=overrides) as kernel:
        yield Shop(ByKernel(kernel), settings, kernel)
