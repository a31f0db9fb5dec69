"""Pool efficiency: queries a second that pools get through, each set up as its manual says."""

from __future__ import annotations

import asyncio
from statistics import fmean, median
from typing import Any, Literal

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
"""Connections that galvo may open; it begins with one."""
SECONDS = 0.4
"""Of a turn."""
SETTLE = 4.0
"""Seconds before the first: a size is found under load."""
AWAKE = 1.0
"""Seconds of the same load before each turn: a size has followed the pause since the last."""
LOOK = 0.1
"""Seconds between two counts of what is open."""
OPEN = "select count(*) from pg_stat_activity where application_name = $1"
DEFAULT = 10
"""Connections of asyncpg.Pool unless another number is given, all open from the beginning (its manual)."""
NAMES = ("asyncpg.Pool", "galvo's pool", "asyncpg.Pool again (A/A)")
LOADS = {"one query of four waits 5 ms": 4, "rows by key": 0}
"""Of how many queries one waits (a lock, a disk, a report); 0: none. The first is judged."""
WAITING = "select pg_sleep(0.005)"
NEAR = 0.95
"""Of plain's queries a second: if they may be fewer than that, nothing is shown."""


class Turn(msgspec.Struct, frozen=True):
    rate: float
    """Queries a second."""
    connections: float
    """Open, on average, as the server counts them."""


Turns = dict[str, list[Turn]]
"""By the pool's name, round by round."""
Most = Literal["missed", "not shown", "beyond"]


async def measure(stand: Stand) -> Found:
    """Rounds of both, and of the first again."""
    url = await stand.postgres()
    kernel = Kernel.of({PoolPlugin: {}})
    found: dict[str, Turns] = {load: {name: [] for name in NAMES} for load in LOADS}
    watcher = await asyncpg.connect(url)
    try:
        await watcher.execute(SCHEMA)
        async with (
            asyncpg.create_pool(url, server_settings=_named("bench-plain")) as stock,
            create_pool(url, kernel=kernel, min_size=1, max_size=MOST, server_settings=_named("bench-galvo")) as ours,
        ):
            plain, galvo, again = NAMES
            pools = {plain: (stock, "bench-plain"), galvo: (ours, "bench-galvo"), again: (stock, "bench-plain")}
            for load, share in LOADS.items():
                for name in (plain, galvo):
                    await turn(*pools[name], watcher, SETTLE if name == galvo else SECONDS, share)
                for number in range(stand.rounds):
                    at = number % len(NAMES)
                    for name in NAMES[at:] + NAMES[:at]:
                        await turn(*pools[name], watcher, AWAKE, share)
                        found[load][name].append(await turn(*pools[name], watcher, SECONDS, share))
                    stand.tick()
    finally:
        await watcher.execute("drop table if exists bench_material")
        await watcher.close()
    return told(found)


def _named(application: str) -> dict[str, str]:
    return {"application_name": application}


def told(found: dict[str, Turns]) -> Found:
    """Pair by pair: the first load is judged; in the other galvo may not answer fewer than plain."""
    (_, judged), (other, beside) = found.items()
    plain, galvo, again = (judged[name] for name in NAMES)
    ratios = _ratios(galvo, plain)
    low, high = interval(ratios)
    middle, most = _beside(beside)
    explains = (
        f"{CLIENTS} tasks ask as fast as they are answered, and one query of four waits 5 ms in the server: queries a "
        f"second after {AWAKE:g} s of that load. Plain is asyncpg.Pool of its default size, {DEFAULT}; galvo's finds "
        f"its own from 1 to {MOST}. With {other} alone they may not be fewer than plain's: {middle:.2f} of them."
    )
    return Found(
        plain=median(one.rate for one in plain),
        galvo=median(one.rate for one in galvo),
        middle=median(ratios),
        low=low,
        high=high,
        noise=interval(_ratios(again, plain)),
        explains=explains,
        rounds=len(galvo),
        most=most,
        sections=[
            Section("efficiency", f"Queries a second, and connections: {load}", explains, _rows(turns), "speed")
            for load, turns in found.items()
        ],
    )


def _ratios(own: list[Turn], plain: list[Turn]) -> list[float]:
    return [mine.rate / base.rate for mine, base in zip(own, plain, strict=True)]


def _beside(turns: Turns) -> tuple[float, Most]:
    """Queries a second to plain's, and what may be said of the claim at best."""
    plain, galvo, again = (turns[name] for name in NAMES)
    ratios = _ratios(galvo, plain)
    low, high = interval(ratios)
    if high < min(1, interval(_ratios(again, plain))[0]):
        return median(ratios), "missed"
    return median(ratios), "not shown" if low < NEAR else "beyond"


def _rows(turns: Turns) -> list[Any]:
    plain = turns[NAMES[0]]
    return [
        Values(name, {
            "queries a second": median(one.rate for one in own),
            "to plain": median(_ratios(own, plain)),
            "connections": median(one.connections for one in own),
            "a second for each": median(one.rate / max(1, one.connections) for one in own),
        })
        for name, own in turns.items()
    ]  # fmt: skip


async def turn(pool: Any, application: str, watcher: asyncpg.Connection, seconds: float, share: int = 0) -> Turn:
    """All clients ask as fast as they are answered."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    ends, done = began + seconds, 0
    counts: list[int] = []

    async def client(number: int) -> None:
        nonlocal done
        while loop.time() < ends:
            number = (number * 7919 + 17) % 1_000_003
            if share and number % share == 0:
                await pool.fetch(WAITING)
            else:
                await pool.fetch(UNCACHED, number % 1000 + 1)
            done += 1

    async def look() -> None:
        while loop.time() < ends:
            await asyncio.sleep(LOOK)
            counts.append(await watcher.fetchval(OPEN, application))

    await asyncio.gather(look(), *map(client, range(CLIENTS)))
    return Turn(done / (loop.time() - began), fmean(counts))
