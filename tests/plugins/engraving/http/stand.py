"""The application on real servers, asked over HTTP by people of different rights."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from galvo_engraving.accounts import passwords, tokens
from galvo_engraving.app import create_app
from galvo_engraving.config import EngravingSettings
from galvo_engraving.serving.opening import galvanised, plain
from galvo_engraving.shop import Shop

PROJECT = Path(__file__).parents[4]
PLUGINS = ("cache", "pool", "index", "memory", "monitor", "tasks")
ALL, NONE = "all", "none"
FEW = (ALL, NONE)
SUBSETS = (*FEW, *PLUGINS)
"""What is on; "cache" alone means: everything but the cache."""
PASSWORD = "correct horse battery"
NUMBERS = itertools.count(1)

ACCOUNT = """
insert into engraving.user_account (email, name, studio, role, password, created_at)
values ($1, 'Somebody', 'Somewhere', $2, $3, now()) returning id"""
_KEPT: list[str] = []


async def _hashed() -> str:
    """Of PASSWORD; made once."""
    if not _KEPT:
        _KEPT.append(await passwords.hashed(PASSWORD))
    return _KEPT[0]


class Api:
    """The application, and clients of it."""

    def __init__(self, app: FastAPI, shop: Shop, dsn: str) -> None:
        self.app = app
        self.shop = shop
        self.dsn = dsn
        self._clients: list[httpx.AsyncClient] = []

    def stranger(self) -> httpx.AsyncClient:
        """Has not signed in."""
        made = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://testserver")
        self._clients.append(made)
        return made

    async def customer(self) -> httpx.AsyncClient:
        """A new one each time, signed in."""
        return await self._signed_in("customer")

    async def staff(self) -> httpx.AsyncClient:
        return await self._signed_in("staff")

    async def _signed_in(self, role: str) -> httpx.AsyncClient:
        """Without the routes, whose passwords are slow by design."""
        email = f"{role}{next(NUMBERS)}@example.com"
        id = await self.shop.db.fetchval(ACCOUNT, email, role, await _hashed())
        token, _ = await tokens.give(self.shop.db, id, 1)
        client = self.stranger()
        client.headers["authorization"] = f"Bearer {token}"
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def running(subset: str, dsn: str, redis: str, **settings: Any) -> AsyncIterator[Api]:
    """With `settings` of the application's own."""
    chosen = EngravingSettings(**settings)
    if subset == NONE:
        opened = plain(dsn, chosen)
    else:
        overrides: dict[str, dict[str, Any]] = {
            "embedded": {"on": False},
            "pool": {"url": dsn, "min_size": 1},
            "cache": {"redis": redis},
            "tasks": {"on": False},
        }
        if subset != ALL:
            overrides.setdefault(subset, {})["on"] = False
        opened = galvanised(chosen, overrides, PROJECT)
    async with opened as shop:
        made = Api(create_app(shop=shop), shop, dsn)
        if active(shop, "cache", "pool"):
            await _keeping(shop)
        try:
            yield made
        finally:
            await made.close()


def active(shop: Shop, *names: str) -> bool:
    """Whether all these plugins run."""
    plugins = shop.kernel.plugins() if shop.kernel else []
    return {*names} <= {one["name"] for one in plugins if one["state"] == "active"}


async def _keeping(shop: Shop) -> None:
    """Wait until the cache has joined the other processes, and keeps what it reads: until then nothing can be stale."""
    made = []

    async def make() -> int:
        made.append(1)
        return 1

    while True:
        before = len(made)
        for _ in range(2):
            await shop.db.cached("probe", make, depends_on=["engraving.machine"])
        if len(made) < before + 2:
            return
        await asyncio.sleep(0.02)
