"""A kernel that watches, on a database with a small shop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from galvo import Kernel, Plugin
from galvo_index import IndexPlugin
from galvo_pool import PoolPlugin

SCHEMA = """
create table material(id int primary key, name text not null, price numeric not null);
insert into material select n, 'm' || n, n from generate_series(1, 50) n;
create table big as select n as id, n % 1000 as kind, repeat('x', 60) as note from generate_series(1, 20000) n;
analyze big;
"""


@asynccontextmanager
async def watching(
    dsn: str, *outer: type[Plugin], pool: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Kernel, IndexPlugin]]:
    """`outer`: plugins round the index, with their defaults."""
    plugins: dict[type[Plugin], dict[str, Any]] = {
        **{plugin: {} for plugin in outer},
        IndexPlugin: settings,
        PoolPlugin: {"url": dsn, "min_size": 1, **(pool or {})},
    }
    async with Kernel.of(plugins) as kernel:
        await kernel.execute(SCHEMA)
        index = kernel.find_capability("index")
        assert isinstance(index, IndexPlugin)
        yield kernel, index


async def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives as soon as it is something."""
    with anyio.fail_after(20):
        while not (found := condition()):  # noqa: ASYNC110  # what the watch does in the background has no event
            await anyio.sleep(0.01)
    return found


def known(index: IndexPlugin, sql: str) -> dict[str, Any]:
    """What the watch has counted of a text."""
    index._watch.count()
    found = index._watch.statements.find(sql)
    return found.numbers() if found is not None else {}
