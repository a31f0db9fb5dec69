"""Everything that chunks can be read from, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin, create_pool

KINDS = ("kernel", "kernel session", "asyncpg pool", "asyncpg connection", "galvo pool", "chained galvo pool")


class Recording(Plugin):
    """Outermost of the chain."""

    name = "recording"
    provides = ("recording",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.seen: list[Query] = []

    @hookimpl(tryfirst=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.seen.append(query)
        return await proceed(query)


def kernel_of(dsn: str | None) -> Kernel:
    """With a cache; one connection, so that one that is not given back is missed at once."""
    pool = {} if dsn is None else {"url": dsn, "min_size": 1, "max_size": 1, "acquire_timeout": 5}
    return Kernel.of({Recording: {}, CachePlugin: {}, PoolPlugin: pool})


@asynccontextmanager
async def reaching(kind: str, dsn: str) -> AsyncIterator[Any]:
    """A target of this kind. Its pools have one connection."""
    one: dict[str, Any] = {"min_size": 1, "max_size": 1}
    match kind:
        case "kernel":
            async with kernel_of(dsn) as kernel:
                yield kernel
        case "kernel session":
            async with kernel_of(dsn) as kernel, kernel.acquire() as session:
                yield session
        case "asyncpg pool":
            async with asyncpg.create_pool(dsn, **one) as pool:
                yield pool
        case "asyncpg connection":
            connection = await asyncpg.connect(dsn)
            try:
                yield connection
            finally:
                await connection.close()
        case "galvo pool":
            async with create_pool(dsn, kernel=None, **one) as pool:
                yield pool
        case "chained galvo pool":
            async with create_pool(dsn, kernel=kernel_of(None), **one) as pool:
                yield pool
        case _:
            raise ValueError(kind)
