"""Reads that nobody may keep go to a standby, as long as that shows all that was written here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.cache.situations.servers import Standby

pytestmark = pytest.mark.anyio
SUM = "select sum(n), now() > '2000-01-01' from t"
SCHEMA = "create table t(id int primary key, n int); insert into t values (1, 0)"


@asynccontextmanager
async def replicated(dsn: str, folder: Path, **pool: Any) -> AsyncIterator[tuple[Kernel, Standby]]:
    standby = Standby(dsn, folder)
    standby.start()
    settings = {"url": dsn, "max_size": 4, "replicas": [standby.dsn], **pool}
    try:
        async with Kernel.of({CachePlugin: {}, PoolPlugin: settings}) as kernel:
            yield kernel, standby
    finally:
        standby.stop()


def answers(kernel: Kernel) -> float:
    return kernel.plugin_stats("pool")["replica_answers"]


async def until_used(kernel: Kernel, sql: str = SUM) -> None:
    with anyio.fail_after(20):
        before = answers(kernel)
        while answers(kernel) == before:
            await kernel.fetch(sql)
            await anyio.sleep(0.01)


async def test_own_writes_are_seen(dsn: str, folder: Path) -> None:
    async with replicated(dsn, folder) as (kernel, _):
        await kernel.execute(SCHEMA)
        await until_used(kernel)
        used = answers(kernel)
        for number in range(1, 60):
            await kernel.execute("update t set n = $1", number)
            assert await kernel.fetchval(SUM) == number
            if number % 10 == 0:
                await until_used(kernel)
            async with kernel.transaction() as session:
                await session.execute("update t set n = $1", -number)
            assert await kernel.fetchval(SUM) == -number
        assert answers(kernel) >= used + 5
        assert not await kernel.fetchval("select pg_is_in_recovery()"), "what means another thing there stays here"


async def test_what_lags_is_not_asked(dsn: str, folder: Path) -> None:
    async with replicated(dsn, folder, max_lag=0.3) as (kernel, standby):
        await kernel.execute(SCHEMA)
        await until_used(kernel)
        behind = await asyncpg.connect(standby.dsn)
        await behind.execute("select pg_wal_replay_pause()")
        with anyio.fail_after(10):
            while await behind.fetchval("select pg_get_wal_replay_pause_state()") != "paused":  # noqa: ASYNC110  # nothing tells
                await anyio.sleep(0.01)
        await kernel.execute("update t set n = 7")
        used = answers(kernel)
        for _ in range(100):
            assert await kernel.fetchval(SUM) == 7
            await anyio.sleep(0.01)
        assert answers(kernel) == used
        await behind.execute("select pg_wal_replay_resume()")
        await behind.close()
        await until_used(kernel)
        assert await kernel.fetchval(SUM) == 7


async def test_what_can_be_kept_is_read_where_it_is_written(dsn: str, folder: Path) -> None:
    """A standby's answer may be older than a stamp."""
    async with replicated(dsn, folder) as (kernel, _):
        await kernel.execute(SCHEMA)
        await until_used(kernel)
        used = answers(kernel)
        for _ in range(5):
            assert await kernel.fetchval("select n from t where id = 1") == 0
        assert answers(kernel) == used
        assert kernel.plugin_stats("cache")["hits"] >= 3


async def test_a_standby_that_goes_and_comes(dsn: str, folder: Path) -> None:
    async with replicated(dsn, folder) as (kernel, standby):
        await kernel.execute(SCHEMA)
        await until_used(kernel)
        standby.stop()
        for _ in range(50):
            assert await kernel.fetchval(SUM) == 0
        standby.start()
        await until_used(kernel)


async def test_what_a_standby_cannot_run(dsn: str, folder: Path) -> None:
    """It is run on the primary, and from then on at once."""
    async with replicated(dsn, folder) as (kernel, _):
        await kernel.execute(SCHEMA + "; create function f() returns int stable language sql as 'select 1'")
        await until_used(kernel)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await kernel.fetch("select 1 / (n - n), now() from t")
        assert await kernel.fetchval("select count(*) from t where now() > '2000-01-01'") == 1
