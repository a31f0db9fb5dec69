"""Load that steps up and down: connections that follow it, against every fixed number of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import fmean, median
from typing import Any

import msgspec

from galvo import Kernel
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand
from galvo_pool import PoolPlugin, create_pool
from galvo_pool.sizing import Limit, start_size

STEPS = (1, 100, 5)
"""Clients, one step after the other."""
SIZES = (1, 4, 16, 64)
FOLLOWS = "follows the load"
SECONDS = 0.2
"""Of a candidate in a round."""
SETTLE = 20
"""Seconds that the limit has to find its size after a step; fewer when there are fewer rounds."""
NEAR = 0.95
"""Of the best throughput: the smallest size that has it is the one to be as small as."""
ROWS = 10_000
"""Of the table."""
CPU_SECONDS = 0.002

Load = Callable[[int], tuple[str, tuple[Any, ...]]]
"""The statement for a number, and its arguments."""


class Taken(msgspec.Struct, frozen=True):
    """What a candidate did in a round."""

    throughput: float
    connections: float
    """That may be in use, on average."""


class Follower:
    """Ticks a limit while its candidate runs; its clock stands still while others run."""

    def __init__(self, pool: Any) -> None:
        self.limit = Limit(1, SIZES[-1], start_size(2, local=True))
        self._pool = pool
        self._now = 0.0
        self._began = self._area = 0.0

    def connections(self) -> float:
        """That might be in use since the last call, on average."""
        area, seconds = self._area, self._now - self._began
        self._began, self._area = self._now, 0.0
        return area / seconds

    async def follow(self, clients: int) -> None:
        queue = self._pool._queue
        queue.peak()
        while True:
            before, limit = time.perf_counter(), queue.limit
            try:
                await asyncio.sleep(self.limit.pace)
            finally:
                took = time.perf_counter() - before
                self._now += took
                self._area += took * min(limit, clients)
            waiting, busy = queue.peak()
            queue.limit = self.limit.tick(now=self._now, waiting=waiting, busy=busy)
            queue.wake()


async def measure(stand: Stand) -> list[Section]:
    """A section for each load."""
    dsn = await stand.postgres()
    kernel = Kernel.of({PoolPlugin: {}})
    async with create_pool(dsn, kernel=kernel, min_size=SIZES[-1], max_size=SIZES[-1]) as pool:
        pool.housekeeping.stop()  # it would tick the limit while others run
        loads = await _loads(pool)
        sections = [await _compare(stand, pool, name, load) for name, load in loads.items()]
        await pool.execute("drop table galvo_bench_sizing")
        return sections


async def _loads(pool: Any) -> dict[str, Load]:
    await pool.execute(
        "drop table if exists galvo_bench_sizing; create table galvo_bench_sizing (id int primary key, name text);"
        "insert into galvo_bench_sizing select n, 'material ' || n from generate_series(1, 10000) n;"
        "analyze galvo_bench_sizing"
    )
    cpu = await _cpu(pool)
    key, sleep = "select * from galvo_bench_sizing where id = $1", "select pg_sleep(0.005)"
    return {
        "primary key": lambda number: (key, (number % ROWS + 1,)),
        "2 ms of CPU": lambda number: (cpu, ()),
        "5 ms of waiting": lambda number: (sleep, ()),
        "primary keys, and one wait in four": lambda number: (
            (sleep, ()) if number % 4 == 0 else (key, (number % ROWS + 1,))
        ),
    }


async def _cpu(pool: Any) -> str:
    """A statement that takes CPU_SECONDS on this machine."""
    count = 2000
    async with pool.acquire() as connection:
        for _ in range(5):
            times = []
            for _ in range(15):
                began = time.perf_counter()
                await connection.fetch(cpu_bound(count))
                times.append(time.perf_counter() - began)
            count = max(100, int(count * CPU_SECONDS / median(times)))
    return cpu_bound(count)


def cpu_bound(count: int) -> str:
    return f"select sum(sqrt(n)) from generate_series(1, {count}) n"  # noqa: S608  # a number


async def _compare(stand: Stand, pool: Any, name: str, load: Load) -> Section:
    """Each round runs every size and the follower, in rotating order; ratios are medians over the rounds."""
    follower = Follower(pool)
    candidates = [*map(str, SIZES), FOLLOWS]
    rows: dict[str, dict[str, float]] = {
        row: {} for row in [*candidates, "its connections", "the best's", "per second"]
    }
    rounds = max(2, stand.few)  # each half needs one
    size = follower.limit.value
    for clients in STEPS:
        taken: dict[str, list[Taken]] = {candidate: [] for candidate in candidates}
        pool._queue.limit = size
        await run(pool, load, clients, min(SETTLE, 2 * stand.few), follower)
        size = pool._queue.limit
        for number in range(rounds):
            turn = number % len(candidates)
            for candidate in candidates[turn:] + candidates[:turn]:
                following = candidate == FOLLOWS
                pool._queue.limit = size if following else int(candidate)
                found = await run(pool, load, clients, SECONDS, follower if following else None)
                size = pool._queue.limit if following else size
                taken[candidate].append(found)
            stand.tick()
        _tell(rows, taken, f"{clients} clients")
    exact: list[Any] = [Values(row, values) for row, values in rows.items()]
    explains = (
        "Throughput to the best fixed number of connections; connections on average, and the smallest fixed number "
        f"with {NEAR:.0%} of the best throughput. With 1 client all are alike: the noise."
    )
    return Section("sizing", f"Load in steps: {name}", explains, exact)


def _tell(rows: dict[str, dict[str, float]], taken: dict[str, list[Taken]], step: str) -> None:
    sizes = [str(size) for size in SIZES]
    level = [fmean(taken[size][number].throughput for size in sizes) for number in range(len(taken[FOLLOWS]))]
    relative = {
        candidate: [found.throughput / base for found, base in zip(taken[candidate], level, strict=True)]
        for candidate in taken
    }
    speeds = {candidate: median(found) for candidate, found in relative.items()}
    best = max(speeds[size] for size in sizes)
    near = next(size for size in sizes if speeds[size] >= NEAR * best)
    for candidate in sizes:
        rows[candidate][step] = speeds[candidate] / best
    rows[FOLLOWS][step] = _to_the_best(relative, sizes)
    rows["its connections"][step] = fmean(found.connections for found in taken[FOLLOWS])
    rows["the best's"][step] = fmean(found.connections for found in taken[near])
    rows["per second"][step] = round(best * median(level))


def _to_the_best(relative: dict[str, list[float]], sizes: list[str]) -> float:
    """The best size is chosen in one half of the rounds and met in the other: the largest of several noisy figures is
    larger than any of them really is."""
    ratios = []
    for choose, meet in ((0, 1), (1, 0)):
        best = max(sizes, key=lambda size: median(relative[size][choose::2]))
        ratios.append(median(relative[FOLLOWS][meet::2]) / median(relative[best][meet::2]))
    return fmean(ratios)


async def run(pool: Any, load: Load, clients: int, seconds: float, follower: Follower | None) -> Taken:
    """So many clients, each with one statement after the other; the pool's limit is what it is or follows."""
    queue = pool._queue
    queue.wake()
    began = time.perf_counter()
    ends, done = began + seconds, 0
    pool.load = follower.limit if follower is not None else None  # records what it takes

    async def client(number: int) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            number = (number * 7919 + 17) % 1_000_003
            sql, args = load(number)
            await pool.fetch(sql, *args)
            done += 1

    following = [] if follower is None else [asyncio.ensure_future(follower.follow(clients))]
    try:
        await asyncio.gather(*map(client, range(clients)))
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    took = time.perf_counter() - began
    connections = follower.connections() if follower is not None else min(queue.limit, clients)
    return Taken(done / took, connections)
