"""Whose row a write changes, when another process moves it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pytest

from galvo import Kernel
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import Situation, shared, two, until

pytestmark = pytest.mark.anyio
SETUP = """
create table part(id int primary key, owner int not null, label text not null, price int not null);
create index on part(owner);
insert into part select g, g % 3, 'p' || g, g from generate_series(1, 9) g;
"""
BY_OWNER = "select sum(price) from part where owner = $1"
WRITE = "update part set price = 100 where id = $1"


@asynccontextmanager
async def pair(dsn: str, redis: OwnRedis) -> AsyncIterator[tuple[Situation, Situation]]:
    """Two processes, as it were, that keep answers by owner. Nothing is in Redis: a miss reaches the database."""
    cache = shared(redis.url, l2=False, lease=2.0)
    async with two(dsn, SETUP, cache=cache) as a, two(dsn, schema=None, cache=cache) as b:
        for stand in (a, b):
            await stand.awake()
            await warm(stand)
        yield a, b


async def warm(stand: Situation) -> None:
    """Wait until all are kept: it hears of the end of another's write when that has ended."""

    async def all_kept() -> bool:
        return all(await kept(stand))

    await until(all_kept)


async def kept(stand: Situation) -> list[bool]:
    """Of the owners 0, 1, 2; each must be right in any case."""
    found = []
    for owner in (0, 1, 2):
        before = stand.ran(BY_OWNER)
        await stand.fresh(BY_OWNER, owner)
        found.append(stand.ran(BY_OWNER) == before)
    return found


WAYS = ("apart", "together", "hidden")


async def replace(kernel: Kernel, way: str) -> None:
    """Part 1 goes, and another one of owner 2 comes."""
    if way == "hidden":
        await kernel.execute("do $$begin delete from part where id = 1; insert into part values (1, 2, 'x', 5); end$$")
        return
    writes = ("delete from part where id = $1", (1,)), ("insert into part values ($1, $2, 'x', 5)", (1, 2))
    async with kernel.transaction() if way == "together" else nullcontext(kernel) as writer:
        for sql, args in writes:
            await writer.execute(sql, *args)


async def test_new_rows_of_another_process_spoil_no_look_up(dsn: str, own_redis: OwnRedis) -> None:
    async with pair(dsn, own_redis) as (a, b):
        stop = a.gate.stop("set price")
        updating = asyncio.create_task(a.kernel.execute(WRITE, 1))
        await stop.reached.wait()
        insert = b.gate.stop("insert into part")
        inserting = asyncio.create_task(b.kernel.execute("insert into part values (20, 2, 'x', 5)"))
        await insert.reached.wait()
        for stand in (a, b):
            assert await kept(stand) == [True, False, False]
        insert.go.set()
        await inserting
        stop.go.set()
        await updating
        for stand in (a, b):
            await warm(stand)


@pytest.mark.parametrize("way", WAYS)
async def test_another_process_replaces_the_row(dsn: str, own_redis: OwnRedis, way: str) -> None:
    async with pair(dsn, own_redis) as (a, b):
        stop = a.gate.stop("set price")
        first = asyncio.create_task(a.kernel.execute(WRITE, 1))
        await stop.reached.wait()
        await replace(b.kernel, way)
        for _ in range(2):
            for stand in (a, b):
                assert await kept(stand) == [False] * 3, "any of them may change until W1 has ended"
        stop.go.set()
        await first
        for stand in (a, b):
            assert await stand.fresh(BY_OWNER, 2) >= 100
            await warm(stand)


@pytest.mark.parametrize("way", WAYS)
async def test_another_process_has_replaced_a_row_that_is_remembered(dsn: str, own_redis: OwnRedis, way: str) -> None:
    async with pair(dsn, own_redis) as (a, b):
        await a.kernel.execute(WRITE, 4)
        assert a["lookups"] == 1, "and with it, whose part 1 is"
        await warm(a)
        await replace(b.kernel, way)
        await warm(a)
        await a.kernel.execute(WRITE, 1)
        assert await kept(a) == [True, True, False]
        assert a["lookups"] == 2


async def test_another_process_changes_what_no_look_up_asks(dsn: str, own_redis: OwnRedis) -> None:
    async with pair(dsn, own_redis) as (a, b):
        await a.kernel.execute(WRITE, 4)
        await b.kernel.execute("update part set label = 'x' where id = $1", 1)
        await b.kernel.execute("insert into part values (20, 1, 'x', 5)")
        await warm(a)
        await a.kernel.execute(WRITE, 1)
        assert await kept(a) == [True, False, True]
        assert a["lookups"] == 1
