"""Computed values live by the rules of reads: as long as no table they depend on was written."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest

from galvo import Kernel
from galvo_cache import plugin as cache_plugin
from galvo_cache import reading
from galvo_pool import PoolPlugin
from tests.plugins.cache.stand import JOBS, LOG, PRICE, RAISE, Stand, standing

pytestmark = pytest.mark.anyio


class Loader:
    """A `load` that counts, and reads through the kernel."""

    def __init__(self, stand: Stand, sql: str = PRICE, *args: Any) -> None:
        self.stand = stand
        self.sql = sql
        self.args = args or ((1,) if sql == PRICE else ())
        self.calls = 0

    async def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"value": await self.stand.kernel.fetchval(self.sql, *self.args), "list": []}


async def test_it_lives_until_a_table_is_written(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand)
        for _ in range(3):
            value = await stand.kernel.cached("price", load, depends_on=["material"])
            assert value["value"] == Decimal("1.50")
        assert load.calls == 1
        await stand.kernel.execute("insert into log(line) values ('x')")
        await stand.kernel.cached("price", load, depends_on=["material"])
        assert load.calls == 1
        await stand.kernel.execute(RAISE, 1)
        assert (await stand.kernel.cached("price", load, depends_on=["material"]))["value"] == Decimal("2.50")
        assert load.calls == 2
        async with stand.kernel.transaction() as session:
            await session.execute(RAISE, 1)
            assert (await stand.kernel.cached("price", load, depends_on=["material"]))["value"] == Decimal("2.50")
        assert (await stand.kernel.cached("price", load, depends_on=["material"]))["value"] == Decimal("3.50")
        assert load.calls == 3


async def test_names_are_those_of_sql(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.other.execute('create schema shop; create table shop.order_(id int); create table "Odd"(id int)')
        for names, table in ((["public.material"], "material"), (["shop.order_"], "shop.order_"), (["Odd"], '"Odd"')):
            load = Loader(stand, f"select count(*) from {table}")
            for _ in range(2):
                await stand.kernel.cached("count", load, depends_on=names)
            assert load.calls == 1
            await stand.kernel.execute(f"delete from {table}")
            await stand.kernel.cached("count", load, depends_on=names)
            assert load.calls == 2


async def test_several_tables_and_cascades(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand, JOBS)
        for sql in ("delete from material where id = 5", "insert into log(line) values ('x')"):
            for _ in range(2):
                await stand.kernel.cached("jobs", load, depends_on=["job", "log"])
            calls = load.calls
            await stand.kernel.execute(sql)
            await stand.kernel.cached("jobs", load, depends_on=["job", "log"])
            assert load.calls == calls + 1, sql


async def test_unknown_tables_are_told_and_nothing_is_kept(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    async with standing(dsn) as stand:
        await stand.other.execute("create view shown as select clock_timestamp()")
        load = Loader(stand)
        for names, reason in ((["nobody"], "unknown_table"), (["material", "shown"], "view_volatile_function")):
            calls = load.calls
            for _ in range(2):
                await stand.kernel.cached("price", load, depends_on=names)
            assert load.calls == calls + 2
            assert stand[f"refused_{reason}"] == 2
        assert "depends_on names 'nobody', which is no table" in caplog.text
        await stand.kernel.execute("create table nobody()")
        for _ in range(2):
            await stand.kernel.cached("price", load, depends_on=["nobody"])
        assert load.calls == 5


async def test_a_table_that_is_dropped_and_made_again(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand, LOG)
        await stand.kernel.cached("log", load, depends_on=["log"])
        await stand.kernel.execute("drop table log; create table log(line text)")
        await stand.kernel.execute("insert into log values ('x')")
        for _ in range(2):
            assert (await stand.kernel.cached("log", load, depends_on=["log"]))["value"] == 1
        await stand.kernel.execute("insert into log values ('y')")
        assert (await stand.kernel.cached("log", load, depends_on=["log"]))["value"] == 2


async def test_the_ttl_is_its_own(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with standing(dsn, {"ttl": 100, "jitter": 0}) as stand:
        now = [time.monotonic()]
        for module in (cache_plugin, reading):
            monkeypatch.setattr(module, "monotonic", lambda: now[0])
        short, long, default = Loader(stand), Loader(stand), Loader(stand)
        for passed, calls in ((0, (1, 1, 1)), (5, (1, 1, 1)), (6, (2, 1, 1)), (90, (3, 1, 2)), (900, (4, 2, 3))):
            now[0] += passed
            await stand.kernel.cached("short", short, depends_on=["material"], ttl=10)
            await stand.kernel.cached("long", long, depends_on=["material"], ttl=1000)
            await stand.kernel.cached("default", default, depends_on=["material"])
            assert (short.calls, long.calls, default.calls) == calls, passed
        nothing = Loader(stand)
        for _ in range(2):
            await stand.kernel.cached("nothing", nothing, ttl=10)
        assert nothing.calls == 1, "without tables only time ends it"


async def test_everybody_gets_a_copy_unless_all_promised(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand)
        for _ in range(3):
            value = await stand.kernel.cached("own", load, depends_on=["material"])
            assert value["list"] == []
            value["list"].append("vandal")
            value.clear()
        first = await stand.kernel.cached("shared", load, depends_on=["material"], shared=True)
        again = await stand.kernel.cached("shared", load, depends_on=["material"], shared=True)
        assert first is again
        for falsy in (None, False, 0, "", [], {}):

            async def make(falsy: Any = falsy) -> Any:
                load.calls += 1
                return falsy

            calls = load.calls
            for _ in range(2):
                assert await stand.kernel.cached(f"falsy {falsy!r}", make, depends_on=["material"]) == falsy
            assert load.calls == calls + 1


async def test_a_crowd_is_one_load(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand)
        values = await asyncio.gather(
            *(stand.kernel.cached("price", load, depends_on=["material"]) for _ in range(100))
        )
        assert load.calls == 1
        assert [value["value"] for value in values] == [Decimal("1.50")] * 100
        assert len({id(value["list"]) for value in values}) == 100


async def test_an_exception_is_not_kept(dsn: str) -> None:
    async with standing(dsn) as stand:
        calls = 0

        async def load() -> int:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0)
            if calls <= 3:
                raise LookupError(calls)
            return calls

        outcomes = await asyncio.gather(
            *(stand.kernel.cached("k", load, depends_on=["material"]) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [LookupError] * 3
        assert await stand.kernel.cached("k", load, depends_on=["material"]) == 4
        assert await stand.kernel.cached("k", load, depends_on=["material"]) == 4
        assert stand.kernel.plugins()[0]["faults"] == 0


@pytest.mark.parametrize("after", [False, True])
async def test_a_load_across_a_write_is_not_kept(dsn: str, after: bool) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand)
        stop = stand.gate.stop(PRICE, after=after)
        early = asyncio.create_task(stand.kernel.cached("price", load, depends_on=["material"]))
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        stop.go.set()
        await early
        assert (await stand.kernel.cached("price", load, depends_on=["material"]))["value"] == Decimal("2.50")
        assert load.calls == 2
        assert stand["overtaken"] >= 1


async def test_a_load_during_a_write_is_not_kept(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand)
        await stand.kernel.cached("price", load, depends_on=["material"])
        stop = stand.gate.stop("update material")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        await stop.reached.wait()
        for _ in range(2):
            await stand.kernel.cached("price", load, depends_on=["material"])
        assert load.calls == 3
        stop.go.set()
        await write
        assert (await stand.kernel.cached("price", load, depends_on=["material"]))["value"] == Decimal("2.50")


async def test_within_a_session_it_is_computed(dsn: str) -> None:
    async with standing(dsn) as stand:
        load = Loader(stand)
        async with stand.kernel.transaction() as session:
            await session.execute(RAISE, 1)

            async def dirty() -> Any:
                return await session.fetchval(PRICE, 1)

            assert await session.cached("price", dirty, depends_on=["material"]) == Decimal("2.50")
            value = await stand.kernel.cached("price", load, depends_on=["material"])
            assert value["value"] == Decimal("1.50")


async def test_a_key_with_other_tables_is_another_value(dsn: str) -> None:
    async with standing(dsn) as stand:
        one, two = Loader(stand), Loader(stand, JOBS)
        await stand.kernel.cached("key", one, depends_on=["material"])
        assert (await stand.kernel.cached("key", two, depends_on=["job"]))["value"] == 5
        # A key is no statement, not even when it looks like one.
        await stand.kernel.fetchval(JOBS)
        assert (await stand.kernel.cached(JOBS, one, depends_on=["material"]))["value"] == Decimal("1.50")
        assert await stand.kernel.fetchval(JOBS) == 5


async def test_without_a_cache_it_is_just_called(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        calls = []

        async def load() -> int:
            calls.append(1)
            return len(calls)

        assert [await kernel.cached("k", load, depends_on=["x"]) for _ in range(2)] == [1, 2]
