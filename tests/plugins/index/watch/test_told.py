"""What the watch tells others: metrics, findings, and that a plugin's life does not disturb it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from galvo import Freed, Level, MemoryPressure, Metric, Plugin, hookimpl
from tests.plugins.index.watch.stand import until, watching

pytestmark = pytest.mark.anyio


class Monitor(Plugin):
    name = "monitor"
    provides = ("monitor",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.sums: dict[str, float] = {}

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.sums[metric.name] = value if metric.kind == "gauge" else self.sums.get(metric.name, 0) + value


async def test_metrics_add_up(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galvo.metering.INTERVAL", 0.01)
    async with watching(dsn, Monitor, slow=1e-9) as (kernel, index):
        for number in range(30):
            await kernel.fetch("select * from material where id <= $1", number)
        sums = kernel.find_capability("monitor").sums
        await until(lambda: sums.get("galvo.index.queries") == 31)
        assert sums["galvo.index.returned_rows"] == sum(range(30))
        assert sums["galvo.index.slow_queries"] == 31
        assert sums["galvo.index.query_time"] > 0
        assert sums["galvo.index.statements"] == 2
        assert {name for name in sums if name.startswith("galvo.index.")} >= {"galvo.index.findings"}
        json.dumps([*index.top(), *index.slow(), kernel.plugin_stats("index")])


async def test_it_can_be_switched_off_and_on(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        await kernel.disable("index")
        await kernel.fetch("select 1 as unseen")
        await kernel.enable("index")
        await kernel.fetch("select 1 as seen")
        fresh = kernel.find_capability("index")
        assert fresh is not index
        assert [statement.sql for statement in fresh.watched()] == ["select 1 as seen"]


async def test_what_is_watched_is_a_workload(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        for number in range(20):
            await kernel.fetch(f"select * from material where id = {number} and name = $1", f"m{number}")
        await kernel.execute("create table other()")
        async with kernel.transaction() as session:
            await session.execute("delete from material where id = $1", 7)
        await kernel.executemany("update material set name = $2 where id = $1", [(1, "a"), (2, "b")])
        found = {statement.sql.split()[0]: statement for statement in index.watched()}
        assert set(found) == {"select", "delete", "update"}, "no DDL, no BEGIN"
        assert found["update"].arguments == ((2, "b"),)
        assert found["select"].calls == 20
        assert len(found["select"].arguments) == 8
        assert found["delete"].arguments == ((7,),)
        assert found["delete"].rows == 1
        assert found["select"].seconds > 0


async def test_arguments_go_when_memory_is_very_short_and_come_back(dsn: str) -> None:
    sql = "select * from material where name = $1"

    def kept() -> int:
        return sum(len(statement.arguments) for statement in index.watched() if statement.sql == sql)

    async with watching(dsn, pool={"max_size": 1}) as (kernel, index):
        for number in range(200):
            await kernel.fetch(sql, f"{number:0>1000}")
        assert kept() == 8
        assert await kernel.relieve(MemoryPressure(Level.HIGH)) == Freed(0)
        freed = await kernel.relieve(MemoryPressure(Level.CRITICAL))
        assert freed.what == "samples of arguments"
        assert 8 * 1000 < freed.bytes < 8 * 1200
        assert kept() == 0
        for number in range(200):
            await kernel.fetch(sql, str(number))
        assert kept() == 8
