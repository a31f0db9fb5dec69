"""Pool efficiency: queries a second for each connection that the server holds open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
SECONDS = 0.5
"""Of a turn."""
SETTLE = 4.0
"""Seconds before the first: a size is found under load."""
AWAKE = 1.0
"""Seconds before each of galvo's turns: its size has followed the pause since the last."""
LOOK = 0.1
"""Seconds between two counts of what is open."""
OPEN = "select count(*) from pg_stat_activity where application_name = $1"
DEFAULT = 10
"""Connections of asyncpg.Pool unless another number is given, all open from the beginning (its manual)."""
NAMES = ("asyncpg.Pool", "galvo's pool", "asyncpg.Pool again (A/A)", "asyncpg.Pool, 1 to 64")
LOADS = {"rows by key": 0, "with a wait of 5 ms in one of four": 4}
"""Of how many queries one waits; 0: none."""
WAITING = "select pg_sleep(0.005)"
NEAR = 0.95
"""Of plain's queries a second: if they may be fewer than that, nothing is shown."""


class Turn(msgspec.Struct, frozen=True):
    rate: float
    """Queries a second."""
    connections: float
    """Open, on average, as the server counts them."""

    @property
    def efficiency(self) -> float:
        return self.rate / max(1.0, self.connections)


Turns = dict[str, list[Turn]]
"""By the pool's name, round by round."""
Most = Literal["missed", "not shown", "beyond"]
WORST: tuple[Most, ...] = ("missed", "not shown", "beyond")


async def measure(stand: Stand) -> Found:
    """Rounds of both, and of the first again."""
    url = await stand.postgres()
    kernel = Kernel.of({PoolPlugin: {}})
    found: dict[str, Turns] = {load: {name: [] for name in NAMES} for load in LOADS}
    watcher = await asyncpg.connect(url)
    try:
        await watcher.execute(SCHEMA)
        async with (
            _of_asyncpg(url, "bench-plain") as stock,
            create_pool(url, kernel=kernel, min_size=1, max_size=MOST, server_settings=_named("bench-galvo")) as ours,
            _of_asyncpg(url, "bench-most", min_size=1, max_size=MOST) as most,
        ):
            plain, galvo, again, large = NAMES
            pools = {
                plain: (stock, "bench-plain"),
                galvo: (ours, "bench-galvo"),
                again: (stock, "bench-plain"),
                large: (most, "bench-most"),
            }
            for load, share in LOADS.items():
                for name in (plain, galvo, large):
                    await turn(*pools[name], watcher, SETTLE if name == galvo else SECONDS, share)
                for number in range(stand.rounds):
                    at = number % len(NAMES)
                    for name in NAMES[at:] + NAMES[:at]:
                        if name == galvo:
                            await turn(*pools[name], watcher, AWAKE, share)
                        found[load][name].append(await turn(*pools[name], watcher, SECONDS, share))
                    stand.tick()
    finally:
        await watcher.execute("drop table if exists bench_material")
        await watcher.close()
    return told(found)


def _named(application: str) -> dict[str, str]:
    return {"application_name": application}


def _of_asyncpg(url: str, application: str, **sizes: Any) -> Any:
    """Of its default size, unless another is given."""
    return asyncpg.create_pool(url, server_settings=_named(application), **sizes)


def told(found: dict[str, Turns]) -> Found:
    """Pair by pair: the first load is judged; in none may galvo answer fewer than plain."""
    plain, galvo, again, _ = (next(iter(found.values()))[name] for name in NAMES)
    ratios = _ratios(galvo, plain, efficiency)
    low, high = interval(ratios)
    speeds = {load: _speed(turns) for load, turns in found.items()}
    explains = (
        f"{CLIENTS} tasks ask for rows by their key; queries a second for each connection that the server holds open. "
        f"Plain is asyncpg.Pool of its default size, {DEFAULT}; galvo's finds its own from 1 to {MOST}. All queries a "
        "second together may not be fewer than plain's (nor with a wait in one query of four): "
        + "; ".join(f"{load} {speed.middle:.2f} of them" for load, speed in speeds.items())
        + "."
    )
    return Found(
        plain=median(one.efficiency for one in plain),
        galvo=median(one.efficiency for one in galvo),
        middle=median(ratios),
        low=low,
        high=high,
        noise=interval(_ratios(again, plain, efficiency)),
        explains=explains,
        rounds=len(galvo),
        most=min((speed.most for speed in speeds.values()), key=WORST.index),
        sections=[
            Section("efficiency", f"Queries a second, and connections: {load}", explains, _rows(turns), "speed")
            for load, turns in found.items()
        ],
    )


def efficiency(turn: Turn) -> float:
    return turn.efficiency


def rate(turn: Turn) -> float:
    return turn.rate


def _ratios(own: list[Turn], plain: list[Turn], figure: Callable[[Turn], float]) -> list[float]:
    return [figure(mine) / figure(base) for mine, base in zip(own, plain, strict=True)]


class Speed(msgspec.Struct, frozen=True):
    """All queries a second, to plain's."""

    middle: float
    most: Most
    """What may be said of the claim at best."""


def _speed(turns: Turns) -> Speed:
    plain, galvo, again, _ = (turns[name] for name in NAMES)
    ratios = _ratios(galvo, plain, rate)
    low, high = interval(ratios)
    noise = interval(_ratios(again, plain, rate))
    if high < min(1, noise[0]):
        return Speed(median(ratios), "missed")
    return Speed(median(ratios), "not shown" if low < NEAR else "beyond")


def _rows(turns: Turns) -> list[Any]:
    plain = turns[NAMES[0]]
    return [
        Values(name, {
            "queries a second": median(one.rate for one in own),
            "to plain": median(_ratios(own, plain, rate)),
            "connections": median(one.connections for one in own),
            "a second for each": median(one.efficiency for one in own),
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
