"""Pool efficiency: queries a second for each connection that the server holds open."""

from __future__ import annotations

import asyncio
from statistics import fmean, median
from typing import Any

import asyncpg
import msgspec

from galvo import Kernel
from galvo_bench.claims.claim import Found
from galvo_bench.kernel.hot_path import SCHEMA, UNCACHED
from galvo_bench.method.interval import interval
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand
from galvo_pool import PoolPlugin, create_pool

CLIENTS = 64
MOST = 64
"""Connections that either may open; both begin with one."""
SECONDS = 0.8
"""Of a turn."""
SETTLE = 4.0
"""Seconds before the first: a size is found under load."""
LOOK = 0.1
"""Seconds between two counts of what is open."""
OPEN = "select count(*) from pg_stat_activity where application_name = $1"
NAMES = ("asyncpg.Pool", "galvo's pool", "asyncpg.Pool again (A/A)")


class Turn(msgspec.Struct, frozen=True):
    rate: float
    """Queries a second."""
    connections: float
    """Open, on average, as the server counts them."""

    @property
    def efficiency(self) -> float:
        return self.rate / self.connections


async def measure(stand: Stand) -> Found:
    """Rounds of both, and of the first again."""
    url = await stand.postgres()
    plain, galvo, again = NAMES
    kernel = Kernel.of({PoolPlugin: {}})
    sizes: dict[str, Any] = {"min_size": 1, "max_size": MOST}
    found: dict[str, list[Turn]] = {name: [] for name in NAMES}
    watcher = await asyncpg.connect(url)
    try:
        await watcher.execute(SCHEMA)
        async with (
            asyncpg.create_pool(url, server_settings={"application_name": "bench-plain"}, **sizes) as stock,
            create_pool(url, kernel=kernel, server_settings={"application_name": "bench-galvo"}, **sizes) as ours,
        ):
            pools = {plain: (stock, "bench-plain"), galvo: (ours, "bench-galvo"), again: (stock, "bench-plain")}
            for name in (plain, galvo):
                await turn(*pools[name], watcher, SETTLE)
            for number in range(stand.rounds):
                at = number % len(NAMES)
                for name in NAMES[at:] + NAMES[:at]:
                    found[name].append(await turn(*pools[name], watcher, SECONDS))
                stand.tick()
    finally:
        await watcher.execute("drop table if exists bench_material")
        await watcher.close()
    return told(found)


def told(found: dict[str, list[Turn]]) -> Found:
    """Pair by pair."""
    plain, galvo, again = (found[name] for name in NAMES)
    ratios = [mine.efficiency / base.efficiency for mine, base in zip(galvo, plain, strict=True)]
    low, high = interval(ratios)
    rows = [
        Values(
            name,
            {
                "queries a second": median(one.rate for one in turns),
                "to plain": median(one.rate / base.rate for one, base in zip(turns, plain, strict=True)),
                "connections": median(one.connections for one in turns),
                "a second for each": median(one.efficiency for one in turns),
            },
        )
        for name, turns in found.items()
    ]
    explains = (
        f"Rows by their key, asked for by {CLIENTS} tasks through 1 to {MOST} connections; queries a second for each "
        f"connection that the server holds open. Plain is {NAMES[0]}. All queries a second together: "
        f"{rows[1].values['to plain']:.2f} of plain's."
    )
    return Found(
        plain=median(one.efficiency for one in plain),
        galvo=median(one.efficiency for one in galvo),
        middle=median(ratios),
        low=low,
        high=high,
        noise=interval([mine.efficiency / base.efficiency for mine, base in zip(again, plain, strict=True)]),
        explains=explains,
        sections=[Section("efficiency", "Queries a second, and connections for them", explains, [*rows], "speed")],
    )


async def turn(pool: Any, application: str, watcher: asyncpg.Connection, seconds: float) -> Turn:
    """All clients ask as fast as they are answered."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    ends, done = began + seconds, 0
    counts: list[int] = []

    async def client(number: int) -> None:
        nonlocal done
        while loop.time() < ends:
            number = (number * 7919 + 17) % 1_000_003
            await pool.fetch(UNCACHED, number % 1000 + 1)
            done += 1

    async def look() -> None:
        while loop.time() < ends:
            await asyncio.sleep(LOOK)
            counts.append(await watcher.fetchval(OPEN, application))

    await asyncio.gather(look(), *map(client, range(CLIENTS)))
    return Turn(done / (loop.time() - began), fmean(counts))
