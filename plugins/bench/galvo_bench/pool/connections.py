"""Pools side by side: what taking a connection costs, what a query through one costs, who waits how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Any

import asyncpg
import msgspec

from galvo import Kernel
from galvo_bench.method.rounds import Candidate
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.peers import Absent, Lineup, attempt, need
from galvo_bench.running.stand import Stand
from galvo_pool import create_pool

SIZE = 10
TASKS = (1, 10, 100, 1000)
LEAST = 200
"""Queries per round."""
SCHEMA = """
    drop table if exists galvo_bench_pool;
    create table galvo_bench_pool (id int primary key, name text not null, price numeric not null);
    insert into galvo_bench_pool select n, 'material ' || n, n * 1.5 from generate_series(1, 1000) n;
    analyze galvo_bench_pool;
"""
# `random()` keeps the answers out of every cache: this is about pools.
LOADS = {
    "one value": ("select 1, random()", ()),
    "a row by its key": ("select *, random() from galvo_bench_pool where id = $1", (7,)),
    "100 rows": ("select *, random() from galvo_bench_pool where id <= $1", (100,)),
}
BASELINE = "asyncpg.Pool"

Query = Callable[[str, tuple[Any, ...]], Awaitable[object]]


class Contender(msgspec.Struct, frozen=True):
    name: str
    take: Callable[[], Awaitable[object]]
    """Take a connection and give it back."""
    query: Query
    """On any connection of the pool."""


async def measure(stand: Stand) -> list[Section]:
    """A section for taking, one for each load, one for who waits, one for connections of their own."""
    url = await stand.postgres()
    async with _contenders(url) as (contenders, missing):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(SCHEMA)
            sections = [await _taking(stand, contenders, missing)]
            for name, load in LOADS.items():
                sections += [await _loaded(stand, contenders, missing, name, load, tasks) for tasks in TASKS]
            sections.append(await _waiting(stand, contenders))
            sections.append(await _connecting(stand, contenders, url))
        finally:
            await connection.execute("drop table galvo_bench_pool")
            await connection.close()
    return sections


@asynccontextmanager
async def _contenders(url: str) -> AsyncIterator[tuple[list[Contender], list[Missing]]]:
    sizes: dict[str, Any] = {"min_size": SIZE, "max_size": SIZE}
    kernel = Kernel.from_settings(overrides={"embedded": {"on": False}})
    async with AsyncExitStack() as stack:
        stock = await stack.enter_async_context(asyncpg.create_pool(url, **sizes))
        alone = await stack.enter_async_context(create_pool(url, kernel=None, **sizes))
        whole = await stack.enter_async_context(create_pool(url, kernel=kernel, **sizes))
        found = [
            Contender(name, take_from(pool), _fetch(pool))
            for name, pool in ((BASELINE, stock), ("galvo, no kernel", alone), ("galvo with cache", whole))
        ]
        peer = await attempt("psycopg_pool", lambda: psycopg(url, stack))
        missing = [peer] if isinstance(peer, Missing) else []
        yield found + ([] if isinstance(peer, Missing) else [peer]), missing


def take_from(pool: Any) -> Callable[[], Awaitable[object]]:
    async def take() -> None:
        async with pool.acquire():
            pass

    return take


def _fetch(pool: Any) -> Query:
    async def fetch(sql: str, args: tuple[Any, ...]) -> object:
        return await pool.fetch(sql, *args)

    return fetch


async def psycopg(url: str, stack: AsyncExitStack) -> Contender:
    """Its own way: statements are prepared after five runs, nothing is in a transaction."""
    module = need("psycopg_pool")
    if not hasattr(module, "AsyncConnectionPool"):
        raise Absent("too old")
    pool = module.AsyncConnectionPool(url, min_size=SIZE, max_size=SIZE, kwargs={"autocommit": True}, open=False)
    await pool.open(wait=True)
    stack.push_async_callback(pool.close)

    async def take() -> None:
        async with pool.connection():
            pass

    async def query(sql: str, args: tuple[Any, ...]) -> object:
        async with pool.connection() as connection:
            return await (await connection.execute(sql.replace("$1", "%s"), args)).fetchall()

    return Contender("psycopg_pool", take, query)


async def _taking(stand: Stand, contenders: list[Contender], missing: list[Missing]) -> Section:
    lineup = Lineup(*(Candidate(contender.name, contender.take, LEAST) for contender in contenders))
    explains = "Nothing runs in between. asyncpg resets each connection; galvo does when a statement may need it."
    rows = await lineup.compare(stand, "wall")
    return Section("connections", "Taking a connection and giving it back, wall time", explains, [*rows, *missing])


async def _loaded(
    stand: Stand,
    contenders: list[Contender],
    missing: list[Missing],
    name: str,
    load: tuple[str, tuple[Any, ...]],
    tasks: int,
) -> Section:
    each = max(1, LEAST // tasks)

    def crowd(query: Query) -> Callable[[], Awaitable[object]]:
        async def one() -> None:
            for _ in range(each):
                await query(*load)

        async def all_of_them() -> None:
            await asyncio.gather(*(one() for _ in range(tasks)))

        return all_of_them

    lineup = Lineup(*(Candidate(contender.name, crowd(contender.query), 1, tasks * each) for contender in contenders))
    title = f"{name}, {tasks} task{'s' * (tasks > 1)} on {SIZE} connections: CPU time of this process"
    rows = await lineup.compare(stand, "cpu")
    return Section("connections", title, "Per query.", [*rows, *missing])


async def _waiting(stand: Stand, contenders: list[Contender]) -> Section:
    """100 tasks on 10 connections: how long a query takes, waiting included."""
    found: dict[str, list[tuple[float, float, float]]] = {contender.name: [] for contender in contenders}
    for number in range(stand.few):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            found[contender.name].append(await _saturated(contender.query))
        stand.tick()
    base = [first for first, _, _ in found[BASELINE]]
    rows: list[Any] = [
        Values(
            name,
            {
                "p99 ratio": median(p99 / other for (p99, _, _), other in zip(times, base, strict=True)),
                "p99 ms": median(p99 for p99, _, _ in times) * 1e3,
                "longest : median": median(fairness for _, fairness, _ in times),
                "per task": median(spread for _, _, spread in times),
            },
        )
        for name, times in found.items()
    ]
    explains = "100 tasks on 10 connections. `per task`: the most queries of a task in 0.5 s to the fewest."
    return Section("connections", "Who waits how long: a row by its key", explains, rows)


async def _saturated(query: Query, tasks: int = 100, seconds: float = 0.5) -> tuple[float, float, float]:
    """The 99th percentile, the longest to the median, and the most queries of a task to the fewest."""
    sql, args = LOADS["a row by its key"]
    times: list[float] = []
    counts = [0] * tasks
    ends = time.perf_counter() + seconds

    async def one(number: int) -> None:
        while (began := time.perf_counter()) < ends:
            await query(sql, args)
            times.append(time.perf_counter() - began)
            counts[number] += 1

    await asyncio.gather(*(one(number) for number in range(tasks)))
    times.sort()
    return times[int(len(times) * 0.99)], times[-1] / median(times), max(counts) / max(1, min(counts))


async def _connecting(stand: Stand, contenders: list[Contender], url: str) -> Section:
    sql, args = LOADS["a row by its key"]

    async def anew() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.fetch(sql, *args)
        finally:
            await connection.close()

    lineup = Lineup(
        Candidate("asyncpg.connect", anew, 5),
        *(
            Candidate(contender.name, (lambda query: lambda: query(sql, args))(contender.query), 50)
            for contender in contenders
        ),
    )
    rows = await lineup.compare(stand, "wall", stand.few)
    return Section(
        "connections", "A connection for each query, and pooled ones: wall time", "A row by its key.", [*rows]
    )
