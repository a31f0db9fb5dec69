"""What is answered from memory, what is not, and which of the two a counter says."""

from __future__ import annotations

import asyncio
import math
import time
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import pytest

from galvo_cache import plugin as cache_plugin
from galvo_cache import reading
from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE, standing

pytestmark = pytest.mark.anyio


class Special(asyncpg.Record):
    def greet(self) -> str:
        return f"hello {self['name']}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The cache's clock, moved by hand."""
    now = [time.monotonic()]
    for module in (cache_plugin, reading):
        monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


async def test_the_second_read_is_a_hit(dsn: str) -> None:
    async with standing(dsn) as stand:
        for _ in range(3):
            assert await stand.kernel.fetchval(PRICE, 2) == Decimal("3.00")
        assert stand.ran(PRICE) == 1
        assert (stand["misses"], stand["hits"], stand["stored"]) == (1, 2, 1)
        assert await stand.kernel.fetchval(PRICE, 3) == Decimal("4.50")
        assert stand.ran(PRICE) == 2
        before = stand.kernel.plugin_stats("pool")["queries"]
        for _ in range(50):
            await stand.kernel.fetchval(PRICE, 3)
        assert stand.kernel.plugin_stats("pool")["queries"] == before


async def test_nothing_is_an_answer_too(dsn: str) -> None:
    async with standing(dsn) as stand:
        for _ in range(2):
            assert await stand.kernel.fetch(PRICE, 99) == []
            assert await stand.kernel.fetchrow(PRICE, 99) is None
            assert await stand.kernel.fetchval(PRICE, 99) is None
        assert stand.ran(PRICE) == 2  # all rows, and one row
        await stand.kernel.execute("insert into material values (99, 'new', 7, '{}')")
        assert await stand.kernel.fetchval(PRICE, 99) == 7
        assert len(await stand.kernel.fetch(PRICE, 99)) == 1


async def test_one_row_and_all_rows_do_not_mix(dsn: str) -> None:
    async with standing(dsn) as stand:
        for _ in range(2):
            assert (await stand.kernel.fetchrow(ALL))["id"] == 1
            assert len(await stand.kernel.fetch(ALL)) == 5
            assert await stand.kernel.fetchval(ALL, column=1) == "m1"
            assert await stand.kernel.fetchval(ALL, column="name") == "m1"  # type: ignore[arg-type]  # asyncpg takes it
            with pytest.raises(IndexError):
                await stand.kernel.fetchval(ALL, column=9)
        assert stand.ran(ALL) == 2


async def test_arguments_that_python_calls_equal(dsn: str) -> None:
    async with standing(dsn) as stand:
        same = "select $1::numeric::text from material where id = 1"
        for value, text in ((Decimal("1.0"), "1.0"), (Decimal("1.00"), "1.00"), (1, "1")) * 2:
            assert await stand.kernel.fetchval(same, value) == text
        sign = "select $1::float8 from material where id = 1"
        for _ in range(2):
            assert math.copysign(1, await stand.kernel.fetchval(sign, 0.0)) == 1
            assert math.copysign(1, await stand.kernel.fetchval(sign, -0.0)) == -1
            assert math.isnan(await stand.kernel.fetchval(sign, math.nan))
        assert (stand.ran(same), stand.ran(sign)) == (3, 3)
        many = "select id from material where id = any($1) order by id"
        for ids in ([1, 2], [2], [], [1, 2]):
            assert [row["id"] for row in await stand.kernel.fetch(many, ids)] == ids
        assert stand.ran(many) == 3
        with pytest.raises(asyncpg.DataError):  # not the answer of `True`
            await stand.kernel.fetchval(PRICE, "1")


async def test_refused_reads_are_counted_by_reason(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetch("select id, name from material where tags = $1 and $2 = 1", ["a", "b"], 1)
        refused: dict[str, tuple[str, tuple[Any, ...]]] = {
            "volatile_function": ("select random() from material", ()),
            "sql_value_function": ("select current_timestamp from material", ()),
            "locking": ("select id from material for update", ()),
            "system_catalog": ("select relname from pg_class limit 1", ()),
            "argument_type": ("select id from material where int4range($1, 3) @> id", ()),
        }
        for reason, (sql, args) in refused.items():
            if reason == "argument_type":
                sql, args = "select id from material where id <@ $1::int4range", (asyncpg.Range(1, 3),)
            for _ in range(2):
                await stand.kernel.fetch(sql, *args)
            assert stand[f"refused_{reason}"] == 2, reason
            assert stand.ran(sql) == 2, reason
        assert stand["refused"] == sum(stand[f"refused_{reason}"] for reason in refused)
        assert stand["entries"] == 1
        assert (await stand.kernel.explain("select random()"))["cache"]["reason"].startswith("volatile_function")


async def test_other_ways_to_run_a_select(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        for _ in range(2):
            rows = await stand.kernel.fetch("select id, name from material order by id", record_class=Special)
            assert rows[0].greet() == "hello m1"
        assert stand.ran(ALL) == 2
        await stand.kernel.fetch(ALL)
        row = await stand.kernel.fetchrow(ALL, record_class=Special)
        assert isinstance(row, Special)
        for _ in range(2):
            assert await stand.kernel.execute(ALL) == "SELECT 5"
            assert await stand.kernel.execute(PRICE, 1) == "SELECT 1"
            await stand.kernel.executemany(PRICE, [(1,), (2,)])
        assert stand["refused_call"] == 9
        assert stand["flushes"] == stand["writes"] == 0
        assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50")
        assert stand.ran(PRICE) == 5


async def test_a_session_shares_its_answers(dsn: str) -> None:
    """Unless it is in a transaction, which may see what others may not."""
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        before = stand.ran(PRICE)
        async with stand.kernel.acquire() as session:
            for _ in range(2):
                await session.fetchval(PRICE, 1)
                await session.fetchval(PRICE, 2)
            assert stand.ran(PRICE) == before + 1
            stored = stand["stored"]
            async with session.transaction():
                for _ in range(2):
                    await session.fetchval(PRICE, 1)
                    await session.fetchval(PRICE, 3)
        assert stand.ran(PRICE) == before + 5
        assert stand["stored"] == stored
        assert stand["refused_transaction"] == 4


async def test_the_timeout_is_for_the_database(dsn: str) -> None:
    async with standing(dsn) as stand:
        assert await stand.kernel.fetchval(PRICE, 1, timeout=10) == Decimal("1.50")
        assert await stand.kernel.fetchval(PRICE, 1, timeout=10) == Decimal("1.50")
        assert stand.ran(PRICE) == 1
        await stand.other.execute("begin; lock material")
        with pytest.raises(TimeoutError):
            await stand.kernel.fetchval(PRICE, 2, timeout=0.05)
        assert await stand.kernel.fetchval(PRICE, 1, timeout=0.05) == Decimal("1.50")  # a hit waits for no lock
        await stand.other.execute("rollback")
        assert await stand.kernel.fetchval(PRICE, 2, timeout=10) == Decimal("3.00")
        assert stand["entries"] == 2


async def test_an_answer_expires(dsn: str, clock: list[float]) -> None:
    async with standing(dsn, {"ttl": 10, "jitter": 0}) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        await stand.other.execute(RAISE, 1)  # outside galvo: only the TTL bounds it
        clock[0] += 9.9
        assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50")
        clock[0] += 0.2
        assert await stand.kernel.fetchval(PRICE, 1) == Decimal("2.50")
        clock[0] += 9.9  # it counts from the second read
        await stand.kernel.fetchval(PRICE, 1)
        assert stand.ran(PRICE) == 2
        assert stand["entries"] == 1


async def test_jitter_spreads_the_ends(dsn: str, clock: list[float]) -> None:
    async with standing(dsn, {"ttl": 100, "jitter": 0.2}) as stand:
        for number in range(200):
            await stand.kernel.fetchval(PRICE, number)
        plan = stand.kernel.find_capability("cache")._plans.get(PRICE)
        lives = sorted(entry.expires - clock[0] for entry in plan.one.values())
        assert 80 <= lives[0] < 85
        assert 115 < lives[-1] <= 120


async def test_at_most_so_many_statements(dsn: str) -> None:
    async with standing(dsn, {"max_statements": 10}) as stand:
        await stand.warm(PRICE, 1)
        for number in range(40):
            await stand.kernel.fetchval(f"select {number} + id from material where id = 1")
            await stand.kernel.fetchval(PRICE, 1)
        assert stand["statements"] == 10
        assert stand["entries"] <= 10
        assert stand.ran(PRICE) == 1, "a statement that is hit stays"
        assert stand["misses"] == 41, "those of dropped statements count on"
        await stand.kernel.execute(RAISE, 1)
        await stand.fresh(PRICE, 1)
        again = "select 0 + id from material where id = 1"
        assert await stand.kernel.fetchval(again) == 1


async def test_errors_are_never_kept(dsn: str) -> None:
    async with standing(dsn) as stand:
        ratio = "select 1 / (price - 1.5) from material where id = $1"
        for _ in range(2):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await stand.kernel.fetchval(ratio, 1)
            with pytest.raises(asyncpg.UndefinedTableError):
                await stand.kernel.fetch("select * from nothing")
            with pytest.raises(asyncpg.PostgresSyntaxError):
                await stand.kernel.fetch("selct 1")
        assert stand.ran(ratio) == 2
        assert stand["entries"] == 0
        await stand.kernel.execute(RAISE, 1)
        assert await stand.kernel.fetchval(ratio, 1) == 1
        await stand.kernel.execute("create table nothing()")
        assert await stand.kernel.fetch("select * from nothing") == []


async def test_a_cancelled_read_is_never_kept(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 9)
        for after in (False, True):
            stop = stand.gate.stop(PRICE, after=after)
            task = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
            await stop.reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert stand["entries"] == 1
        assert stand["pending"] == 0
        assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50")
        assert stand["entries"] == 2


async def test_a_list_that_changes_while_its_query_waits(dsn: str) -> None:
    async with standing(dsn) as stand:
        sql = "select count(*) from material where id = any($1)"
        await stand.kernel.fetchval(sql, [])
        ids = [1]
        stop = stand.gate.stop(sql)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stand.kernel.fetchval, sql, ids)
            await stop.reached.wait()
            ids.append(2)
            stop.go.set()
        assert await stand.kernel.fetchval(sql, [1]) == 1


async def test_a_list_that_changes_while_others_wait_for_its_query(dsn: str) -> None:
    async with standing(dsn) as stand:
        sql = "select count(*) from material where id = any($1)"
        await stand.kernel.fetchval(sql, [])
        ids, answers = [1], []

        async def read() -> None:
            answers.append(await stand.kernel.fetchval(sql, [1]))

        stop = stand.gate.stop(sql)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stand.kernel.fetchval, sql, ids)
            await stop.reached.wait()
            tasks.start_soon(read)
            await asyncio.sleep(0)
            ids.append(2)
            stop.go.set()
        assert answers == [1]


async def test_the_bound_holds_and_pressure_frees(dsn: str) -> None:
    from galvo import Level, MemoryPressure

    async with standing(dsn, {"max_bytes": 2**16, "max_entry_bytes": 4096}, max_size=1) as stand:
        for number in range(300):
            await stand.kernel.fetchval(PRICE, number)
            assert stand["bytes"] <= 2**16
        assert stand["evicted"] > 100
        assert stand["entries"] + stand["evicted"] == stand["stored"] == 300
        full = stand["bytes"]
        assert (await stand.kernel.relieve(MemoryPressure(Level.NORMAL))).bytes == 0
        freed = await stand.kernel.relieve(MemoryPressure(Level.HIGH))
        assert freed.bytes == full - stand["bytes"]
        assert stand["bytes"] <= full / 2
        await stand.kernel.relieve(MemoryPressure(Level.CRITICAL))
        assert (stand["bytes"], stand["entries"]) == (0, 0)
        assert await stand.kernel.fetchval(PRICE, 2) == Decimal("3.00")
        await stand.kernel.fetchval(LOG)
        cache = stand.kernel.find_capability("cache")
        assert cache.clear() > 0
        assert (stand["bytes"], stand["entries"], stand["pending"]) == (0, 0, 0)
        assert await stand.kernel.fetchval(JOBS) == 5
        assert await stand.warm(JOBS) == 5


async def test_the_pool_goes_away_and_comes_back(dsn: str) -> None:
    """The look for schema changes must survive that."""
    async with standing(dsn, {"catalog_refresh": 0.01}, required=False) as stand:
        await stand.warm(PRICE, 1)
        await stand.kernel.disable("pool")
        looks = len([query for query in stand.gate.seen if query.origin])
        with anyio.fail_after(10):
            while len([query for query in stand.gate.seen if query.origin]) < looks + 3:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert [plugin["state"] for plugin in stand.kernel.plugins()] == ["active", "active", "stopped"]
        await stand.kernel.enable("pool")
        await stand.fresh(PRICE, 1)


async def test_a_schema_change_from_outside_is_found(dsn: str) -> None:
    async with standing(dsn, {"catalog_refresh": 0.01}) as stand:
        assert len((await stand.kernel.fetchrow("select * from log limit 1")) or ()) == 0
        await stand.warm("select * from material")
        await stand.other.execute("alter table material add column extra int")
        with anyio.fail_after(10):
            while "extra" not in dict((await stand.kernel.fetch("select * from material"))[0]):  # noqa: ASYNC110
                await anyio.sleep(0.01)
