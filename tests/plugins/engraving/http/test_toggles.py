"""Plugins are switched while requests run: nothing fails, and nobody sees what was written before as it was before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from galvo import Kernel, KernelClosed
from galvo_embedded import Servers
from galvo_engraving.serving.switched import Switched
from tests.plugins.engraving.http.stand import ALL, PROJECT, Api

pytestmark = pytest.mark.anyio
SUBSETS = (ALL,)
READ = "select minutes from engraving.box_template where id = $1"
WRITE = "update engraving.box_template set minutes = $2 where id = $1"


def switched(api: Api) -> Switched:
    return cast("Switched", api.shop.db)


@asynccontextmanager
async def neighbour(dsn: str, redis: str) -> AsyncIterator[Kernel]:
    """Another process's kernel, as far as cache and database can tell."""
    off: dict[str, dict[str, Any]] = {name: {"on": False} for name in ("embedded", "tasks", "monitor", "memory")}
    overrides = {**off, "pool": {"url": dsn, "min_size": 1}, "cache": {"redis": redis}}
    async with Kernel.from_settings(PROJECT, overrides=overrides) as kernel:
        yield kernel


async def known(kernel: Kernel, id: int, value: int) -> None:
    """The cache answers it: the database is not asked any more."""
    for _ in range(500):
        hits = kernel.plugin_stats("cache")["hits"]
        if await kernel.fetchval(READ, id) == value and kernel.plugin_stats("cache")["hits"] > hits:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the answer never came to be kept")


@pytest.mark.parametrize("name", ["pool", "cache"])
async def test_requests_go_on_while_a_plugin_leaves_and_comes(api: Api, name: str) -> None:
    acknowledged, going, seen = [1], True, list[int]()

    async def write() -> None:
        while going:
            value = acknowledged[0] + 1
            async with api.shop.db.transaction() as tx:
                await tx.execute(WRITE, 1, value)
            acknowledged[0] = value
            await asyncio.sleep(0)

    async def read() -> None:
        client = api.stranger()
        while going:
            before = acknowledged[0]
            seen.append(await api.shop.db.fetchval(READ, 1) - before)
            assert (await client.get("/health")).status_code == 200
            await asyncio.sleep(0)

    await api.shop.db.execute(WRITE, 1, 1)
    async with asyncio.TaskGroup() as tasks:
        for work in (write, read, read, read):
            tasks.create_task(work())
        for _ in range(2):
            for do in (api.shop.toggles.disable, api.shop.toggles.enable):
                count = len(seen)
                await do(name)
                while len(seen) < count + 30:  # noqa: ASYNC110  # as many answers
                    await asyncio.sleep(0.001)
        going = False
    assert not switched(api).plain
    assert min(seen) >= 0


@pytest.mark.parametrize("name", ["pool", "cache"])
async def test_what_is_written_meanwhile_is_seen_afterwards(api: Api, servers: Servers, name: str) -> None:
    """Neither this process's memory nor what another one has kept in Redis hides it."""
    db, toggles = switched(api), api.shop.toggles
    async with neighbour(api.dsn, await servers.redis()) as other:
        await db.execute(WRITE, 2, 10)
        await known(db.kernel, 2, 10)
        await toggles.disable(name)
        assert db.plain is (name == "pool")
        await known(other, 2, 10)  # in Redis, too
        await db.execute(WRITE, 2, 11)
        assert await db.fetchval(READ, 2) == 11
        await toggles.enable(name)
        assert not db.plain
        assert [await db.fetchval(READ, 2), await other.fetchval(READ, 2)] == [11, 11]


@pytest.mark.parametrize("names", [("pool",), ("cache",), ("cache", "pool")], ids=" ".join)
async def test_others_see_at_once_what_is_written_meanwhile(api: Api, servers: Servers, names: tuple[str, ...]) -> None:
    db, toggles = switched(api), api.shop.toggles
    async with neighbour(api.dsn, await servers.redis()) as other:
        await db.execute(WRITE, 6, 10)
        await known(other, 6, 10)
        for name in names:
            await toggles.disable(name)
        await db.execute(WRITE, 6, 11)
        assert await other.fetchval(READ, 6) == 11
        await known(other, 6, 11)
        async with db.transaction() as tx:
            await tx.execute(WRITE, 6, 12)
        assert await other.fetchval(READ, 6) == 12
        await known(other, 6, 12)
        await asyncio.gather(*(db.execute(WRITE, 6, value) for value in (13, 13, 13)))
        assert await other.fetchval(READ, 6) == 13
        for name in reversed(names):
            await toggles.enable(name)


async def test_a_plain_transaction_that_ends_after_the_pool_is_back(api: Api) -> None:
    db, toggles = switched(api), api.shop.toggles
    await db.execute(WRITE, 3, 10)
    await toggles.disable("pool")
    async with db.transaction() as tx:
        await tx.execute(WRITE, 3, 11)
        await toggles.enable("pool")
        assert not db.plain
        await known(db.kernel, 3, 10)
    assert await db.fetchval(READ, 3) == 11


@pytest.mark.parametrize("name", ["pool", "cache"])
async def test_a_transaction_that_has_begun_before_ends_as_if_nothing_had_changed(
    api: Api, servers: Servers, name: str
) -> None:
    """Others learn what it has written, too."""
    db, toggles = switched(api), api.shop.toggles
    await db.execute(WRITE, 4, 9)
    async with neighbour(api.dsn, await servers.redis()) as other:
        await known(other, 4, 9)
        async with db.transaction() as tx:
            await tx.execute(WRITE, 4, 10)
            leaving = asyncio.create_task(toggles.disable(name))
            while not db.plain:  # noqa: ASYNC110  # until new ones go elsewhere
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)
            assert not leaving.done()
            await tx.execute(WRITE, 4, 11)
        assert await other.fetchval(READ, 4) == 11
        await leaving
        assert await db.fetchval(READ, 4) == 11
        await toggles.enable(name)


async def test_a_pool_that_is_stopped_by_somebody_else_is_missed_by_nobody(api: Api) -> None:
    db = switched(api)
    await db.kernel.disable("pool")
    async with db.transaction() as tx:
        await tx.execute(WRITE, 5, 12)
    await asyncio.gather(*(db.execute(WRITE, 5, 13) for _ in range(5)))
    assert await db.fetchval(READ, 5) == 13
    assert db.plain
    await db.kernel.enable("pool")
    async with asyncio.timeout(30):
        while db.plain:  # noqa: ASYNC110  # it looks by itself
            await asyncio.sleep(0.01)
    assert await db.fetchval(READ, 5) == 13


@pytest.mark.parametrize("name", ["index", "memory", "monitor"])
async def test_others_come_and_go_beside(api: Api, name: str) -> None:
    await api.shop.toggles.disable(name)
    assert not switched(api).plain
    assert (await api.stranger().get("/health")).status_code == 200
    await api.shop.toggles.enable(name)


async def test_without_a_database_it_is_told_and_nothing_changes(api: Api) -> None:
    from galvo import GalvoError

    db = switched(api)

    async def nowhere() -> str:
        return "postgresql://nobody@127.0.0.1:1/nowhere"

    where, db._where = db._where, nowhere
    try:
        with pytest.raises(GalvoError, match="the database is away"):
            await api.shop.toggles.disable("pool")
    finally:
        db._where = where
    assert not db.plain
    assert await db.fetchval(READ, 1) is not None


async def test_whoever_asks_while_the_kernel_ends_opens_nothing(api: Api) -> None:
    assert api.shop.kernel is not None
    db = Switched(api.shop.kernel, switched(api)._where)
    await db.close()
    await db.kernel.disable("pool")
    try:
        with pytest.raises(KernelClosed):
            await db.fetchval("select now()")
        assert not db.plain
    finally:
        await db.kernel.enable("pool")
