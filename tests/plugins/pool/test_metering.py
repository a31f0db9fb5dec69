"""What the pool tells others, on a real server."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import Kernel, Metric, Plugin, hookimpl, metering
from galvo_pool import PoolPlugin, create_pool
from galvo_pool.metering import DURATION, MOST, OTHER, _failed, failed

pytestmark = pytest.mark.anyio
Key = tuple[str, ...]
CONNECTION = "db.client.connection."


class SinkPlugin(Plugin):
    """What was told, by a metric's name and what sets it apart."""

    name = "sink"
    provides = ("sink",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.told: defaultdict[Key, list[float]] = defaultdict(list)
        self.metrics: set[Metric] = set()
        self.news = anyio.Event()

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.metrics.add(metric)
        rest = [value for _, value in metric.attributes if value not in ("postgresql", "primary")]
        self.told[metric.name.removeprefix(CONNECTION), *rest].append(value)
        self.news.set()

    async def until(self, key: Key, value: float) -> None:
        """The last one is this."""
        while self.told[key][-1:] != [value]:
            self.news = anyio.Event()
            await self.news.wait()


def standing(dsn: str, **settings: Any) -> Kernel:
    return Kernel.of({SinkPlugin: {}, PoolPlugin: {"url": dsn, "min_size": 0, "max_size": 1, **settings}})


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "INTERVAL", 0.005)


@pytest.fixture
def no_kinds() -> Iterator[None]:
    kept = dict(_failed)
    _failed.clear()
    yield
    _failed.clear()
    _failed.update(kept)


async def test_statements_and_how_they_fail(dsn: str) -> None:
    async with standing(dsn) as kernel:
        sink = kernel.find_capability("sink")
        await kernel.fetch("select 1")
        await kernel.execute("create table t(id int primary key)")
        for sql, error in (
            ("select 1 / 0", asyncpg.DivisionByZeroError),
            ("selec", asyncpg.PostgresSyntaxError),
            ("insert into t values (1), (1)", asyncpg.UniqueViolationError),
        ):
            with pytest.raises(error):
                await kernel.execute(sql)
        with pytest.raises(TimeoutError):
            await kernel.fetch("select pg_sleep(60)", timeout=0.01)
        with pytest.raises(asyncpg.InterfaceError):
            await kernel.fetch("select $1::int")
        with anyio.move_on_after(0.02):
            await kernel.fetch("select pg_sleep(60)")
        name = DURATION.name
        assert {key: len(values) for key, values in sink.told.items() if key[0] == name} == {
            (name,): 2,
            (name, "22012"): 1,
            (name, "42601"): 1,
            (name, "23505"): 1,
            (name, "TimeoutError"): 1,
            (name, "InterfaceError"): 1,
        }
        assert 0.01 <= sink.told[name, "TimeoutError"][0] < 60
        assert {metric.unit for metric in sink.metrics if metric.name == name} == {"s"}
        assert DURATION in sink.metrics
        assert DURATION.attributes == (("db.system.name", "postgresql"),)
        failure = failed(asyncpg.DivisionByZeroError("x"))
        assert failure.attributes == (("db.system.name", "postgresql"), ("error.type", "22012"))
        assert failure is failed(asyncpg.DivisionByZeroError("y"))


@pytest.mark.usefixtures("no_kinds")
async def test_kinds_of_errors_are_bounded(dsn: str) -> None:
    """A function can raise whatever it likes."""
    raising = "do $$ begin raise exception using errcode = '{}'; end $$"
    async with standing(dsn) as kernel:
        sink = kernel.find_capability("sink")
        for number in range(MOST + 20):
            with pytest.raises(asyncpg.PostgresError):
                await kernel.execute(raising.format(f"ZX{number:03}"))
        kinds = [key for key in sink.told if len(key) == 2 and key[0] == DURATION.name]
        assert len(kinds) == MOST + 1
        assert len(sink.told[DURATION.name, OTHER]) == 20


@pytest.mark.usefixtures("often")
async def test_waits_and_the_state_of_the_pool(dsn: str) -> None:
    async with standing(dsn, acquire_timeout=0.5) as kernel:
        sink = kernel.find_capability("sink")
        await sink.until(("count", "idle"), 0)
        async with kernel.acquire() as session:
            await session.fetch("select 1")
            assert len(sink.told["create_time",]) == 1
            assert sink.told["create_time",][0] > 0
            sink.told["wait_time",].clear()  # it had to wait until the first was open
            await sink.until(("count", "used"), 1)
            await sink.until(("count", "idle"), 0)
            waiting = asyncio.create_task(kernel.fetch("select 2"))
            await sink.until(("pending_requests",), 1)
            with pytest.raises(TimeoutError, match="no connection became free"):
                await waiting
            await sink.until(("pending_requests",), 0)
            await sink.until(("timeouts",), 1)
            waiting = asyncio.create_task(kernel.fetch("select 3"))
            await sink.until(("pending_requests",), 1)
        assert await waiting
        [gave_up, waited] = sink.told["wait_time",]
        assert gave_up >= 0.5
        assert waited > 0
        await sink.until(("count", "used"), 0)
        await sink.until(("count", "idle"), 1)
        await kernel.fetch("select 4")
        assert len(sink.told["wait_time",]) == 2, "nobody waited"
        assert set(sink.told["max",]) == {1}
        assert sink.told["timeouts",] == [1]
        assert sink.told[DURATION.name, "TimeoutError"][0] >= 0.5
        assert kernel.plugin_stats("pool")["timeouts"] == 1
        assert all(
            ("db.client.connection.pool.name", "primary") in metric.attributes
            for metric in sink.metrics
            if metric.name.startswith(CONNECTION)
        )


@pytest.mark.usefixtures("often")
async def test_the_applications_own_pool(dsn: str) -> None:
    kernel = Kernel.of({SinkPlugin: {}, PoolPlugin: {}})
    async with create_pool(dsn, kernel=kernel, min_size=0, max_size=3) as pool:
        sink = kernel.find_capability("sink")
        async with pool.acquire() as connection:
            await connection.fetchval("select 1")
            await sink.until(("count", "used"), 1)
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.fetchval("select 1 / 0")
        assert sink.told["max",][-1] == 3
        assert len(sink.told[DURATION.name, "22012"]) == 1
        assert len(sink.told["create_time",]) == 1
