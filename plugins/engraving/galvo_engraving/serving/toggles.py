"""Plugins that are switched on and off while the application runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from galvo_engraving.serving.switched import Switched
from galvo_engraving.warming import warm

if TYPE_CHECKING:
    from galvo_engraving.shop import Shop

ASIDE = ("pool", "cache")
"""While these change, requests are answered without the kernel."""


class Toggles:
    """What `galvo enable`, `disable`, `reload` and SIGHUP do here: the plugin live finds it before the kernel."""

    def __init__(self, shop: Shop, db: Switched) -> None:
        assert shop.kernel is not None  # noqa: S101  # whoever has a Switched has one
        self._shop, self._db, self._kernel = shop, db, shop.kernel
        self.cool: Callable[[], None] = lambda: None
        """Has the cache warm nothing more."""
        self._one = asyncio.Lock()
        """Of those that change at a time."""
        self._kernel.given["switchboard"] = self

    async def enable(self, name: str) -> None:
        async with self._aside() if name in ASIDE else nullcontext():
            await self._kernel.enable(name)
        self.look()

    async def disable(self, name: str) -> None:
        if name == "tasks":
            self._shop.jobs = None  # before it is gone
        try:
            async with self._aside() if name in ASIDE else nullcontext():
                await self._kernel.disable(name)
        finally:
            self.look()

    async def reload(self) -> list[str]:
        """The names that changed."""
        async with self._aside():
            changed = await self._kernel.reload()
        self.look()
        return changed

    def look(self) -> None:
        """What the application takes from the plugins that run."""
        tasks = self._kernel.find_capability("tasks")
        self._shop.jobs = tasks.app if tasks is not None else None
        cache = self._kernel.find_capability("cache")
        if cache is not None and (most := self._shop.settings.warm):
            self.cool = cache.warm_with("engraving", partial(warm, self._db, most))

    @asynccontextmanager
    async def _aside(self) -> AsyncIterator[None]:
        async with self._one:
            await self._db.leave()
            self._db.held = True
            try:
                await self._db.left()
                yield
            finally:
                self._db.held = False
                await self._db.back()
