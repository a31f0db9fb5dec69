"""What this plugin does, on a real kernel."""

import pytest
from galvo import Kernel
from galvo_pool import PoolPlugin

from galvo_replicas import ReplicasPlugin

pytestmark = pytest.mark.anyio


async def test_a_query_gets_its_answer_and_is_counted(dsn: str) -> None:
    async with Kernel.of({ReplicasPlugin: {}, PoolPlugin: {"url": dsn}}) as kernel:
        assert await kernel.fetchval("select 6 * 7") == 42
        assert kernel.plugin_stats("replicas")["queries"] == 1


async def test_a_slow_query_counts_as_slow(dsn: str) -> None:
    settings = {"slow": 0.01}
    async with Kernel.of({ReplicasPlugin: settings, PoolPlugin: {"url": dsn}}) as kernel:
        await kernel.fetchval("select pg_sleep(0.02)")
        assert kernel.plugin_stats("replicas")["slow"] == 1
