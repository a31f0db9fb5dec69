"""What this plugin does, on a real kernel with a real primary and a real standby."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg
import pytest
from galvo import Kernel, Plugin
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from replicated import StandbyServer

from galvo_replicas import ReplicasPlugin

pytestmark = pytest.mark.anyio
HERE = "select pg_is_in_recovery()"
N = "select n, pg_is_in_recovery() from shelf"
LONG = 3600.0


@asynccontextmanager
async def running(dsn: str, server: StandbyServer, *outside: type[Plugin]) -> AsyncIterator[Kernel]:
    settings: dict[type[Plugin], dict[str, Any]] = {cls: {} for cls in outside}
    settings[ReplicasPlugin] = {"url": server.dsn, "every": 0.01}
    async with Kernel.of({**settings, PoolPlugin: {"url": dsn}}) as kernel:
        await kernel.execute("drop table if exists shelf; create table shelf as select 0 as n")
        await until_used(kernel)
        yield kernel


async def until_used(kernel: Kernel) -> None:
    with anyio.fail_after(20):
        while not await kernel.fetchval(HERE, stale_ok=LONG):
            await anyio.sleep(0.005)


def counted(kernel: Kernel, name: str) -> float:
    return kernel.plugin_stats("replicas")[name]


async def test_only_who_allows_stale_answers_is_sent_to_the_standby(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server) as kernel:
        assert await kernel.fetch(N, stale_ok=LONG) == [(0, True)]
        assert await kernel.fetchrow(N, stale_ok=LONG) == (0, True)
        assert await kernel.fetchrow(N + " where n > $1", 7, stale_ok=LONG) is None
        assert await kernel.fetch(N) == [(0, False)]
        async with kernel.transaction() as session:
            assert await session.fetch(N, stale_ok=LONG) == [(0, False)]


async def test_own_writes_are_seen_however_they_are_made(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server) as kernel:
        for number in range(1, 30):
            await kernel.execute("update shelf set n = $1", number)
            assert await kernel.fetchval(N, stale_ok=LONG) == number
            assert await kernel.fetchval("update shelf set n = -n returning n") == -number
            assert await kernel.fetchval(N, stale_ok=LONG) == -number
            async with kernel.transaction() as session:
                await session.execute("update shelf set n = 1000 + n")
            assert await kernel.fetchval(N, stale_ok=LONG) == 1000 - number
            await until_used(kernel)
            assert await kernel.fetchval(N, stale_ok=LONG) == 1000 - number
        assert counted(kernel, "standby") >= 29


async def test_no_answer_is_staler_than_its_caller_allows(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server) as kernel:
        behind, elsewhere = await asyncpg.connect(server.dsn), await asyncpg.connect(dsn)
        try:
            await behind.execute("select pg_wal_replay_pause()")
            with anyio.fail_after(20):
                while await behind.fetchval("select pg_get_wal_replay_pause_state()") != "paused":
                    await anyio.sleep(0.005)
            await elsewhere.execute("update shelf set n = 7")
            with anyio.fail_after(20):
                while await kernel.fetchval(N, stale_ok=0.2) != 7:
                    await anyio.sleep(0.005)
            assert await kernel.fetchrow(N, stale_ok=0.2) == (7, False)
            assert await kernel.fetchrow(N, stale_ok=LONG) == (0, True)
        finally:
            await behind.execute("select pg_wal_replay_resume()")
            await behind.close()
            await elsewhere.close()


async def test_without_the_standby_the_primary_answers(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server) as kernel:
        server.stop()
        try:
            for _ in range(20):
                assert await kernel.fetchrow(N, stale_ok=LONG) == (0, False)
        finally:
            server.start()
        await until_used(kernel)
        [told] = [plugin for plugin in kernel.plugins() if plugin["name"] == "replicas"]
        assert told["faults"] == 0


async def test_what_a_standby_cannot_run_is_run_once_on_the_primary(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server) as kernel:
        assert await kernel.fetchval("update shelf set n = n + 1 returning n", stale_ok=LONG) == 1
        await until_used(kernel)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await kernel.fetch("select 1 / 0", stale_ok=LONG)
        assert await kernel.fetchval("select n from shelf") == 1


async def test_a_timeout_is_one_for_both(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server) as kernel:
        primary = counted(kernel, "primary")
        with pytest.raises(TimeoutError):
            await kernel.fetch("select pg_sleep(60)", timeout=0.05, stale_ok=LONG)
        assert counted(kernel, "primary") == primary


async def test_a_cache_outside_keeps_no_answer_of_the_standby(dsn: str, server: StandbyServer) -> None:
    async with running(dsn, server, CachePlugin) as kernel:
        used = counted(kernel, "standby")
        for _ in range(3):
            assert await kernel.fetchval("select n from shelf", stale_ok=LONG) == 0
        assert counted(kernel, "standby") == used + 3
        assert kernel.plugin_stats("cache")["hits"] == 0


async def test_a_primary_given_as_standby_answers_nothing(dsn: str) -> None:
    async with Kernel.of({ReplicasPlugin: {"url": dsn, "every": 0.001}, PoolPlugin: {"url": dsn}}) as kernel:
        for _ in range(20):
            assert await kernel.fetchval(HERE, stale_ok=LONG) is False
        assert counted(kernel, "standby") == 0


async def test_without_a_url_the_application_runs_on_without_it(dsn: str) -> None:
    async with Kernel.of({ReplicasPlugin: {}, PoolPlugin: {"url": dsn}}) as kernel:
        assert await kernel.fetchval(HERE, stale_ok=LONG) is False
        assert kernel.plugins()[0]["reason"] == "has no standby: set GALVO_REPLICAS__URL=postgresql://..."
