"""Codecs decide what an answer looks like: those who have the same ones share answers, and nobody else."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin, codecs, create_pool

pytestmark = pytest.mark.anyio
SQL = "select data from sheet where id = $1"
SCHEMA = """create table sheet(id int primary key, data jsonb, size numeric);
insert into sheet select g, '{"a": 1}', g from generate_series(1, 9) g"""


def wrapped(text: str) -> Any:
    return {"wrapped": json.loads(text)}


async def as_json(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def as_wrapped(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=wrapped, schema="pg_catalog")


def made(dsn: str, init: Any = None, **keywords: Any) -> Any:
    kernel = Kernel.of({CachePlugin: {}, PoolPlugin: {}})
    return create_pool(dsn, kernel=kernel, **{"min_size": 1, "max_size": 4, "init": init, **keywords})


def stat(pool: Any, name: str) -> float:
    return float(pool.kernel.plugin_stats("cache")[name])


def identity(pool: Any) -> str:
    return str(pool.kernel.find_capability("pool").identity)


@pytest.fixture
async def shop(dsn: str) -> AsyncIterator[str]:
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    yield dsn
    await connection.close()


async def known(pool: Any) -> None:
    """Until the cache knows the tables, it keeps nothing; nor what connections fresh from `init` answer."""
    for _ in range(100):
        before = stat(pool, "hits")
        await pool.fetchval("select size from sheet where id = 9")
        if stat(pool, "hits") > before:
            return
    pytest.fail("nothing is ever kept")


async def test_answers_are_decoded_and_kept(shop: str) -> None:
    async with made(shop, as_json) as pool:
        await known(pool)
        hits = stat(pool, "hits")
        for _ in range(3):
            assert await pool.fetchval(SQL, 1) == {"a": 1}
            assert (await pool.fetchrow(SQL, 1))["data"] == {"a": 1}
            async with pool.acquire() as connection:
                assert await connection.fetchval(SQL, 1) == {"a": 1}
        assert stat(pool, "hits") > hits + 4
        await pool.execute("update sheet set data = $1 where id = 1", {"b": 2})
        assert await pool.fetchval(SQL, 1) == {"b": 2}, "encoded, and what was kept is gone"


async def test_what_is_kept_is_not_what_a_caller_has_changed(shop: str) -> None:
    """Decoders make objects that can be changed; asyncpg gives each caller its own."""
    async with made(shop, as_json) as pool:
        await known(pool)
        for _ in range(4):
            found = await pool.fetchval(SQL, 2)
            assert found == {"a": 1}
            found["a"] = "mine"


async def test_pools_with_other_codecs_share_nothing(shop: str) -> None:
    async with made(shop) as plain, made(shop, as_json) as one, made(shop, as_json) as two, made(shop, as_wrapped) as x:
        assert identity(plain)
        assert identity(one) == identity(two), "the same codecs, so they may"
        assert len({identity(pool) for pool in (plain, one, x)}) == 3
        for _ in range(3):
            assert await plain.fetchval(SQL, 1) == '{"a": 1}'
            assert await one.fetchval(SQL, 1) == {"a": 1}
            assert await x.fetchval(SQL, 1) == {"wrapped": {"a": 1}}


def test_a_codec_has_one_name_in_all_processes() -> None:
    call = """
from galvo_pool import codecs
from tests.plugins.pool.test_codecs import Scale, closing_over, itself
import json
print([codecs.named({'decoder': d, 'format': 'text'}) for d in (json.loads, closing_over('mm'), Scale(2), itself())])
"""
    names = {
        subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True, timeout=60).stdout
        for _ in range(3)
    }
    assert len(names) == 1, "also where sets have another order"


def closing_over(unit: str) -> Any:
    return lambda text: (unit, text)


class Scale:
    def __init__(self, by: int) -> None:
        self.by = by

    def __call__(self, text: str) -> float:
        return float(text) * self.by

    def decode(self, text: str) -> float:
        return float(text) * self.by


class Slotted:
    __slots__ = ("by",)

    def __init__(self, by: int) -> None:
        self.by = by

    def __call__(self, text: str) -> float:
        return float(text) * self.by


def itself() -> Any:
    def decode(text: str, deep: int = 1) -> Any:
        return [decode(text, deep - 1) if deep else text for _ in text if text not in {"a", "b", "c"}]

    return decode


def test_codecs_that_do_the_same_have_one_name() -> None:
    """`init` makes them anew for each connection."""
    for make in (lambda: closing_over("mm"), lambda: Scale(2), lambda: Scale(2).decode, itself):
        assert codecs.named({"decoder": make()}) == codecs.named({"decoder": make()})


@pytest.mark.parametrize(
    "one, other",
    [
        (json.loads, json.dumps),
        (lambda text: text + "a", lambda text: text + "b"),
        (lambda text: text.upper(), lambda text: text.lower()),
        (lambda text: Decimal(text), lambda text: float(text)),
        (closing_over("mm"), closing_over("in")),
        (lambda text, by=2: text * by, lambda text, by=3: text * by),
        (Scale(2), Scale(3)),
        (Scale(2).decode, Scale(3).decode),
        (partial(int, base=8), partial(int, base=16)),
        (re.compile("a").findall, re.compile("b").findall),
        (lambda text: [c + "a" for c in text], lambda text: [c + "b" for c in text]),
        (Slotted(2), Slotted(3)),
        (Decimal, float),
    ],
    ids=[
        "functions", "constants", "methods", "names", "closures", "defaults", "objects", "bound", "partial", "builtin",
        "comprehensions", "slots", "classes",
    ],
)  # fmt: skip
def test_codecs_that_do_something_else_have_other_names(one: Any, other: Any) -> None:
    assert codecs.named({"decoder": one}) != codecs.named({"decoder": other})
    assert codecs.named({"decoder": one}) == codecs.named({"decoder": one})


def test_the_salt() -> None:
    text = {("pg_catalog", "jsonb"): "text"}
    assert codecs.salted(b"", text) == b"", "what is unknown stays so"
    assert codecs.salted(b"x", {}) == b"x"
    assert codecs.salted(b"x", text) != b"x"
    assert codecs.salted(b"x", text) != codecs.salted(b"x", {("public", "jsonb"): "text"})
    both = {("a", "b"): "1", ("c", "d"): "2"}
    assert codecs.salted(b"x", both) == codecs.salted(b"x", dict(reversed(both.items())))


async def test_a_codec_of_one_connection_is_its_own(shop: str) -> None:
    async with made(shop) as pool:
        await known(pool)
        assert await pool.fetchval(SQL, 3) == '{"a": 1}'
        async with pool.acquire() as connection:
            assert await connection.fetchval(SQL, 3) == '{"a": 1}'
            await as_wrapped(connection)
            for _ in range(2):
                assert await connection.fetchval(SQL, 3) == {"wrapped": {"a": 1}}, "nothing is served from memory"
                assert await connection.fetchval(SQL, 4) == {"wrapped": {"a": 1}}
            for _ in range(2):
                assert await pool.fetchval(SQL, 3) == '{"a": 1}', "what others get stays as it was"
                assert await pool.fetchval(SQL, 4) == '{"a": 1}'
            await connection.reset_type_codec("jsonb", schema="pg_catalog")
            assert await connection.fetchval(SQL, 4) == '{"a": 1}'


async def test_a_codec_that_stays_on_a_connection_changes_nothing_for_others(shop: str) -> None:
    """asyncpg's reset leaves it: whoever gets this connection next has it, and nobody else."""
    async with made(shop, max_size=1) as pool:
        await known(pool)
        assert await pool.fetchval(SQL, 3) == '{"a": 1}'
        async with pool.acquire() as connection:
            await as_wrapped(connection)
        async with pool.acquire() as connection:
            assert await connection.fetchval(SQL, 5) == {"wrapped": {"a": 1}}
        kept = await pool.fetchval(SQL, 3)
        assert kept in ('{"a": 1}', {"wrapped": {"a": 1}})
        async with asyncpg.create_pool(shop, min_size=1, max_size=1) as stock:
            async with stock.acquire() as connection:
                await as_wrapped(connection)
            assert await stock.fetchval(SQL, 3) == {"wrapped": {"a": 1}}, "so it is with asyncpg, too"


async def test_query_loggers_see_their_statements(shop: str) -> None:
    async with made(shop) as pool:
        await known(pool)
        await pool.fetchval(SQL, 1)
        await pool.fetchval(SQL, 1)
        async with pool.acquire() as connection:
            seen: list[str] = []
            with connection.query_logger(lambda record: seen.append(record.query)):
                for _ in range(3):
                    assert await connection.fetchval(SQL, 1) == '{"a": 1}'
                await connection.execute("select 2")
                await connection.fetchrow(SQL, 1)
                await connection.executemany("update sheet set size = size where id = $1", [(1,), (2,)])
            await asyncio.sleep(0)  # asyncpg calls them a turn later
            assert seen == [SQL] * 3 + ["select 2", SQL, "update sheet set size = size where id = $1"]
            await connection.fetchval(SQL, 1)
            assert len(seen) == 6


class Special(asyncpg.Record):
    @property
    def double(self) -> Any:
        return self["size"] * 2


async def test_the_record_class_of_the_pool_and_of_a_call(shop: str) -> None:
    sql = "select id, size from sheet where id = $1"
    async with made(shop) as pool:
        await known(pool)
        for _ in range(3):
            assert type(await pool.fetchrow(sql, 1)) is asyncpg.Record
            assert type(await pool.fetchrow(sql, 1, record_class=Special)) is Special
            assert {type(row) for row in await pool.fetch(sql, 1, record_class=Special)} == {Special}
            async with pool.acquire() as connection:
                assert type(await connection.fetchrow(sql, 1)) is asyncpg.Record
                assert (await connection.fetchrow(sql, 1, record_class=Special)).double == 2
    async with made(shop, record_class=Special) as pool:
        for _ in range(3):
            assert type(await pool.fetchrow(sql, 1)) is Special
            assert type(await pool.fetchrow(sql, 1, record_class=asyncpg.Record)) is asyncpg.Record
            async with pool.acquire() as connection:
                assert {type(row) for row in await connection.fetch(sql, 1)} == {Special}
                rows = await connection.fetchmany("update sheet set id = id where id = $1 returning size", [(1,), (2,)])
                assert [row.double for row in rows] == [2, 4]
                assert await connection.fetchval(sql, 1) == 1


async def test_codecs_are_known_before_the_first_answer(shop: str) -> None:
    """Twelve at once, on connections that are opened while others answer: none is decoded otherwise."""
    async with made(shop, as_json, min_size=0, max_size=4) as pool:

        async def ask() -> set[str]:
            return {repr(await pool.fetchval(SQL, 1 + n % 3)) for n in range(10)}

        assert set.union(*await asyncio.gather(*(ask() for _ in range(12)))) == {"{'a': 1}"}
