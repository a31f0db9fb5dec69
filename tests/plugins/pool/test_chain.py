"""A borrowed connection's statements travel the chain, all of them."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from galvo import Kernel, Metric, Plugin, Proceed, Query, Rows, hookimpl
from galvo_pool import PoolPlugin

pytestmark = pytest.mark.anyio


class RecordingPlugin(Plugin):
    name = "recording"
    provides = ("recording",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.seen: list[Query] = []
        self.metrics: list[str] = []

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.seen.append(query)
        return await proceed(query)

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        assert value >= 0
        self.metrics.append(metric.name)


async def test_every_statement_of_a_session_is_seen(dsn: str) -> None:
    async with Kernel.of({RecordingPlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        recording = kernel.find_capability("recording")
        async with kernel.acquire() as session:
            await session.execute("create table t(id int)")
            async with session.transaction(isolation="serializable", readonly=False, deferrable=True):
                await session.executemany("insert into t values ($1)", [(1,), (2,)])
                with pytest.raises(ZeroDivisionError):  # noqa: PT012
                    async with session.transaction():
                        await session.fetchrow("select * from t")
                        raise ZeroDivisionError
                async with session.transaction():
                    await session.fetchval("select count(*) from t")
            await session.fetch("select * from t where id = $1", 1, timeout=3)
        assert [(query.sql, query.kind, query.args) for query in recording.seen] == [
            ("create table t(id int)", "status", ()),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE DEFERRABLE", "status", ()),
            ("insert into t values ($1)", "many", ((1,), (2,))),
            ("SAVEPOINT galvo_1", "status", ()),
            ("select * from t", "rows", ()),
            ("ROLLBACK TO galvo_1", "status", ()),
            ("SAVEPOINT galvo_2", "status", ()),
            ("select count(*) from t", "rows", ()),
            ("RELEASE SAVEPOINT galvo_2", "status", ()),
            ("COMMIT", "status", ()),
            ("select * from t where id = $1", "rows", (1,)),
        ]
        assert {query.session for query in recording.seen} == {session}
        assert kernel.plugin_stats("pool")["queries"] == len(recording.seen)
        assert recording.metrics.count("db.client.operation.duration") == len(recording.seen)
        recording.seen.clear()
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with kernel.transaction(readonly=True) as session:
                await session.fetch("select 1 / 0")
        assert [query.sql for query in recording.seen] == ["BEGIN READ ONLY", "select 1 / 0", "ROLLBACK"]
        assert kernel.plugins()[1]["faults"] == 0, "the database's errors are no faults of the pool"


async def test_a_session_is_one_connection_and_others_are_free(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 2}}) as kernel:
        pid = "select pg_backend_pid()"
        async with kernel.acquire() as session:
            assert kernel.plugin_stats("pool")["lent"] == 0, "the first query takes it"
            first = await session.fetchval(pid)
            assert kernel.plugin_stats("pool")["lent"] == 1
            assert {await session.fetchval(pid) for _ in range(5)} == {first}
            assert await kernel.fetchval(pid) != first
            assert not session.in_transaction
            await session.execute("select 1; begin")
            assert session.is_in_transaction(), "also when a script began it"
            await session.execute("rollback")
        assert kernel.plugin_stats("pool")["lent"] == 0


async def test_a_pin_outlives_a_change_of_the_chain(dsn: str) -> None:
    async with Kernel.of({RecordingPlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        async with kernel.transaction() as session:
            pid = await session.fetchval("select pg_backend_pid()")
            await kernel.disable("recording")
            assert await session.fetchval("select pg_backend_pid()") == pid
            await kernel.enable("recording")
            assert await session.fetchval("select pg_backend_pid()") == pid
        assert kernel.find_capability("recording").seen[-1].sql == "COMMIT"


async def test_settings_reach_the_server(dsn: str) -> None:
    settings = {"application_name": "shop", "timezone": "Asia/Tokyo", "role": "pg_read_all_data"}
    async with Kernel.of(
        {PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 5, "server_settings": settings}}
    ) as kernel:
        for _ in range(3):  # a reset must not lose them
            assert await kernel.fetchval("select current_setting('application_name')") == "shop"
            assert await kernel.fetchval("select current_setting('timezone')") == "Asia/Tokyo"
            assert await kernel.fetchval("select current_user") == "pg_read_all_data"
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "command_timeout": 0.05}}) as kernel:
        with pytest.raises(TimeoutError):
            await kernel.fetch("select pg_sleep(5)")
        await kernel.fetch("select pg_sleep(0.1)", timeout=5)
