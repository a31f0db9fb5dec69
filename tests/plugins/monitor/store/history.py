"""Stores with a past, and kernels that keep it in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from galvo import Context, Kernel
from galvo_monitor.series import Series
from galvo_monitor.store import Store
from galvo_pool import PoolPlugin
from tests.plugins.cache.stand import GatePlugin

LAG = Series("galvo.loop.lag", "p95")
HITS = Series("galvo.cache.hits", "rate", (("galvo.cache.level", 'l"1'),))
DAY = 86_400
ROWS = "select count(*) from galvo.monitor_history"
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running(dsn: str) -> AsyncIterator[Context]:
    async with Kernel.of({GatePlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        yield Context(kernel, "monitor")


async def begin(context: Context) -> float:
    """A full hour, a day ago by the server's clock, which retention goes by."""
    return float(await context.fetchval("select extract(epoch from date_trunc('hour', now()))::float8")) - DAY


def filled(since: float, minutes: int) -> Store:
    store = Store(interval=30)
    for number in range(2 * minutes):
        store.append(since + 30 * number, {LAG: float(number % 10), HITS: 7.5})
    return store
