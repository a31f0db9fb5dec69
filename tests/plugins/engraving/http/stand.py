"""The application on real servers, asked over HTTP by people of different rights."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from galvo_engraving.accounts import passwords, tokens
from galvo_engraving.accounts.routes import MAKE
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


_kept: list[str] = []


async def _hashed() -> str:
    """PASSWORD's hash, which takes long: made once."""
    if not _kept:
        _kept.append(await passwords.hashed(PASSWORD))
    return _kept[0]


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
        return await self._signed_in(f"customer{next(NUMBERS)}@example.com")

    async def staff(self) -> httpx.AsyncClient:
        email = f"staff{next(NUMBERS)}@example.com"
        client = await self._signed_in(email)
        await self.shop.db.execute("update engraving.user_account set role = 'staff' where email = $1", email)
        return client

    async def _signed_in(self, email: str) -> httpx.AsyncClient:
        client = self.stranger()
        db, kept = self.shop.db, await _hashed()
        row = await db.fetchrow(MAKE, email, "Somebody", "Somewhere", kept)
        given = await tokens.give(db, row["id"], kept, 1)
        assert given is not None
        client.headers["authorization"] = f"Bearer {given[0]}"
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
        try:
            yield made
        finally:
            await made.close()
