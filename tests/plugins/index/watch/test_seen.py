"""What reaches the database is counted, and nothing else."""

from __future__ import annotations

import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_index import IndexPlugin
from galvo_pool import PoolPlugin, create_pool
from tests.plugins.index.watch.stand import SCHEMA, known, watching

pytestmark = pytest.mark.anyio


async def test_calls_rows_and_times(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        for number in range(100):
            await kernel.fetch("select * from material where id <= $1", number % 10)
        found = known(index, "select * from material where id <= $1")
        assert (found["calls"], found["rows"]) == (100, 450)
        assert 0 < found["min"] <= found["p50"] * 1.1 <= found["p99"] * 1.21
        assert found["p99"] <= found["max"] * 1.1
        assert found["seconds"] >= 100 * found["min"]
        assert await kernel.execute("update material set price = 1 where id <= 3") == "UPDATE 3"
        await kernel.executemany("insert into material values ($1, '', 0)", [(n,) for n in range(100, 107)])
        await kernel.executemany("insert into material values ($1, '', 0)", [])
        assert kernel.plugins()[0]["faults"] == 0
        assert known(index, "update material set price = 1 where id <= 3")["rows"] == 3
        assert known(index, "insert into material values ($1, '', 0)")["rows"] == 7
        with pytest.raises(asyncpg.DivisionByZeroError):
            await kernel.fetch("select 1 / 0")
        assert known(index, "select 1 / 0") == {**known(index, "select 1 / 0"), "calls": 0, "errors": 1}
        async with kernel.transaction() as session:
            await session.fetch("select name from material")
        assert known(index, "BEGIN")["calls"] == known(index, "COMMIT")["calls"] == 1
        explained = await kernel.explain("select name from material")
        assert explained["index"]["calls"] == 1
        assert explained["index"]["rows"] == 57


async def test_a_borrowed_connection_with_all_that_only_the_driver_runs(dsn: str) -> None:
    kernel = Kernel.of({IndexPlugin: {}, PoolPlugin: {}})
    async with create_pool(dsn, kernel=kernel, min_size=1) as pool, pool.acquire() as connection:
        await connection.execute(SCHEMA)
        prepared = await connection.prepare("select * from material where id < $1")
        await prepared.fetch(5)
        async with connection.transaction():
            async for _ in connection.cursor("select id from material"):
                pass
        await connection.copy_records_to_table("material", records=[(1000, "copied", 1)])
        index = kernel.find_capability("index")
        assert known(index, "select * from material where id < $1")["rows"] == 4
        assert known(index, "select id from material")["rows"] == 50
        assert known(index, 'COPY "material" FROM STDIN (FORMAT binary)')["calls"] == 1


async def test_the_cache_s_hits_and_computed_values_are_not_seen(dsn: str) -> None:
    async with watching(dsn, CachePlugin) as (kernel, index):
        sql = "select name from material where id = $1"
        for _ in range(10):
            await kernel.fetch(sql, 7)
        hits = kernel.plugin_stats("cache")["hits_l1"]
        assert hits > 5
        assert known(index, sql)["calls"] == 10 - hits

        async def load() -> int:
            return len(await kernel.fetch("select id from material where price > 40"))

        assert await kernel.cached("dear", load, depends_on=["material"]) == 10
        assert known(index, "select id from material where price > 40")["calls"] == 1
        assert known(index, "dear") == {}


async def test_its_layer_is_between_cache_and_pool(dsn: str) -> None:
    kernel = Kernel.from_settings(overrides={"pool": {"url": dsn, "min_size": 1}, "embedded": {"on": False}})
    async with kernel:
        layers = await kernel.explain("on_query")
    assert [layer["plugin"] for layer in layers["layers"]] == ["cache", "index", "pool"]
