"""A plugin that knows answers without the database, or asks the database for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from galvo import Plugin, Proceed, Query, Rows, hookimpl
from tests.plugins.cache.stand import Stand

Ask = Callable[[Query], Awaitable[Rows | None]]


class LoaderPlugin(Plugin):
    """Its loader and its layer inside of the cache do what the test says."""

    name = "loader"
    provides = ("loader",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.asked: list[str] = []
        self.ask: Ask | None = None
        self.within: Ask | None = None

    @hookimpl
    async def on_cache_miss(self, query: Query) -> Rows | None:
        if self.ask is None:
            return None
        self.asked.append(query.sql)
        return await self.ask(query)

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if self.within is not None and query.origin != self.name:
            await self.within(query)
        return await proceed(query)


def loader(stand: Stand) -> LoaderPlugin:
    found: LoaderPlugin = stand.kernel.find_capability("loader")
    return found


def again(stand: Stand, sql: str | None = None) -> Ask:
    """A loader that asks for `sql`, or for what it is asked for."""

    async def ask(query: Query) -> Rows:
        return await loader(stand).context.run(query.with_(sql=sql or query.sql, origin="loader"))

    return ask
