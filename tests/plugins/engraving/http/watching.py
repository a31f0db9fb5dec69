"""An application of which is seen what it asks its database for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_engraving.app import create_app
from galvo_engraving.config import EngravingSettings
from galvo_engraving.database import ByKernel
from galvo_engraving.shop import Shop
from galvo_pool import PoolPlugin
from tests.plugins.cache.stand import GatePlugin
from tests.plugins.engraving.http.stand import Api


class Watched(Api):
    gate: GatePlugin

    async def asked(self, client: httpx.AsyncClient, path: str) -> list[str]:
        """By one GET: the statements, and the keys of computed values, that no cache answered; galvo's own included."""
        self.gate.seen.clear()
        told = await client.get(path)
        assert told.status_code == 200, told.text
        return [query.sql for query in self.gate.seen]


@asynccontextmanager
async def watching(dsn: str) -> AsyncIterator[Watched]:
    # Nothing is asked by itself meanwhile: no ttl ends, no statistics are read, nothing is warmed.
    plugins = {
        CachePlugin: {"ttl": 600, "watch": 0, "warm": 0, "early": 0},
        GatePlugin: {},
        PoolPlugin: {"url": dsn, "min_size": 1},
    }
    async with Kernel.of(plugins) as kernel:
        shop = Shop(ByKernel(kernel), EngravingSettings(), kernel)
        made = Watched(create_app(shop=shop), shop, dsn)
        made.gate = kernel.find_capability("gate")
        yield made
        await made.close()
