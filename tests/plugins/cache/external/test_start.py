"""From when on a process hears of writers outside galvo."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from galvo import Kernel, NoBackend, Plugin, Proceed, Query, Rows, hookimpl
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.cache.external.outside import until, watch

pytestmark = pytest.mark.anyio
SQL = "select v from thing where id = 1"


class NotYet(Plugin):
    """Before the pool, which does not answer the first time that somebody looks for triggers."""

    name = "notyet"
    provides = ("notyet",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.refused = 0

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if "pg_catalog.pg_trigger" in query.sql and not self.refused:
            self.refused += 1
            raise NoBackend("not yet")
        return await proceed(query)


async def test_it_listens_soon_although_the_pool_did_not_answer_at_the_start(dsn: str) -> None:
    other = await asyncpg.connect(dsn)
    try:
        await other.execute("create table thing(id int primary key, v int); insert into thing values (1, 1)")
        await watch(other, "thing")
        plugins: dict[type[Plugin], dict[str, Any]] = {
            CachePlugin: {"ttl": 600, "watch": 0, "catalog_refresh": 600},
            NotYet: {},
            PoolPlugin: {"url": dsn, "min_size": 1},
        }
        async with Kernel.of(plugins) as kernel:
            listener = kernel.find_capability("cache")._outside._listener
            await until(lambda: listener.listening)
            assert kernel.find_capability("notyet").refused == 1
            assert await kernel.fetchval(SQL) == 1
            await other.execute("update thing set v = 2")
            await until(lambda: listener.heard)
            assert await kernel.fetchval(SQL) == 2
    finally:
        await other.close()
