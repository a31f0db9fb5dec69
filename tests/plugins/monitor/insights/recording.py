"""Writes down what a real application measured in some minutes: `python -m tests.plugins.monitor.insights.recording`.

A kernel with cache and pool on a PostgreSQL and a Redis of its own serves about 150 queries a second, some of them
writes, some of them slow. Nothing goes wrong. `quiet.json` beside this file was made by it; one row is five seconds.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import anyio

from galvo import Kernel, Metric
from galvo_cache import CachePlugin
from galvo_embedded import Servers
from galvo_monitor.database import Database
from galvo_monitor.system import Disks, Machine, System
from galvo_pool import PoolPlugin
from tests.conftest import reachable_folder
from tests.plugins.monitor.insights.stand import Hearing

FILE = Path(__file__).with_name("quiet.json")
LAG = Metric("galvo.loop.lag", "histogram", "s")
ROW = 5.0
"""Seconds: as often as the cache tells its counters."""
KEPT = ("db.client.operation.duration", "galvo.cache.hits", "galvo.cache.misses", "galvo.loop.lag")


async def main(count: int) -> None:
    with reachable_folder() as folder:
        servers = Servers(folder)
        plugins: dict[Any, dict[str, Any]] = {
            CachePlugin: {"redis": await servers.redis()},
            Hearing: {},
            PoolPlugin: {"url": await servers.postgres(), "max_size": 8, "min_size": 8},
        }
        async with Kernel.of(plugins) as kernel:
            await kernel.execute("create table item(id int primary key, name text, price int)")
            await kernel.execute("insert into item select g, 'item ' || g, g from generate_series(1, 2000) g")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(customers, kernel)
                tasks.start_soon(lag, kernel)
                rows = await record(kernel, count)
                tasks.cancel_scope.cancel()
        servers.close()
    names = sorted({name for row in rows for name in row})
    columns = {name: [row.get(name) for row in rows] for name in names}
    FILE.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in columns.items()) + "\n}\n")


async def customers(kernel: Kernel) -> None:
    chance = random.Random(1)
    async with anyio.create_task_group() as tasks:
        while True:
            await anyio.sleep(chance.expovariate(150))
            tasks.start_soon(one, kernel, chance.random(), min(2000, int(chance.paretovariate(0.6))))


async def one(kernel: Kernel, kind: float, item: int) -> None:
    if kind < 0.8:
        await kernel.fetch("select name, price from item where id = $1", item)
    elif kind < 0.95:
        await kernel.fetch("select count(*), sum(price) from item where price > $1", item)
    elif kind < 0.99:
        await kernel.execute("update item set price = price + 1 where id = $1", item)
    else:
        async with kernel.transaction() as session:
            await session.fetch("select pg_sleep(0.02)")
            await session.execute("update item set price = price - 1 where id = $1", item)


async def lag(kernel: Kernel) -> None:
    due = monotonic()
    while True:
        due += 0.05
        await anyio.sleep(max(0.0, due - monotonic()))
        kernel.record(LAG, max(0.0, monotonic() - due))


async def record(kernel: Kernel, count: int) -> list[dict[str, float]]:
    hearing, pool = kernel.find_capability("hearing"), kernel.find_capability("pool")
    system = System(Machine(), Disks())
    database = Database(pool.connect, log=kernel.find_capability("pool").context.log, idle=0.2)
    rows = []
    due = monotonic()
    for _ in range(count):
        due += ROW
        await anyio.sleep(max(0.0, due - monotonic()))
        row = {
            str(series): value
            for series, value in hearing.values(ROW).items()
            if series.metric in KEPT and series.aggregate != "p50"
        }
        await system.collect(lambda *_: None)
        await database.collect(lambda *_: None)
        stats = kernel.plugin_stats("pool") | {"away": kernel.plugin_stats("cache").get("away_seconds", 0.0)}
        row |= {name: stats[name] for name in ("lent", "limit", "waiting", "away")}
        if database.sample is not None:
            row |= {name: getattr(database.sample, name) for name in ("idle_count", "idle_oldest", "blocked")}
        if system.sample is not None and system.sample.cpu is not None:
            row |= {"cpu": system.sample.cpu, "free": system.disks[0].free}
        rows.append({name: float(f"{value:.4g}") if name != "free" else value for name, value in row.items()})
    await database.close()
    return rows


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 150)
