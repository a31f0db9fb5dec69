"""A page that asks once for a list and then once for each of its rows (N+1): what it costs, who notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from galvo import Kernel, Overrides
from galvo_bench.counts.proxy import Counts, counted
from galvo_bench.method.rounds import Candidate, compare
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must
from galvo_index.finding import Finding

PROJECTS, PARTS = 50, 10
PAGES = 4
"""In a turn."""
ENOUGH = 60
"""Pages after which the watch must have said so: it tells what it saw of a task after 500 queries of all."""
DROP = "drop table if exists bench_part, bench_project"
SCHEMA = """
    drop table if exists bench_part, bench_project;
    create table bench_project (id int primary key, name text not null);
    create table bench_part (id int primary key, project_id int not null references bench_project, price int not null);
    create index on bench_part (project_id);
    insert into bench_project select n, 'project ' || n from generate_series(1, {projects}) n;
    insert into bench_part select n, 1 + n % {projects}, n from generate_series(1, {projects} * {parts}) n;
    analyze bench_project, bench_part;
"""
LIST = "select id, name from bench_project order by id"
EACH = "select count(*), sum(price) from bench_part where project_id = $1"
JOINED = """
    select p.id, p.name, count(*), sum(t.price) from bench_project p join bench_part t on t.project_id = p.id
    group by p.id, p.name order by p.id"""

Page = list[tuple[Any, ...]]
Show = Callable[[], Awaitable[Page]]


class Way(msgspec.Struct, frozen=True):
    name: str
    page: Show
    forget: Callable[[], object] = lambda: None
    """Its answers, if it keeps any."""


async def measure(stand: Stand) -> list[Section]:
    """1+N queries a page, and one that joins, plain and cached: time, queries on the wire, and who says so."""
    url = await stand.postgres()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA.format(projects=PROJECTS, parts=PARTS))
        async with _ways(url) as (everyone, watched):
            await _checked(everyone)
            found = await _noticed(watched, everyone)
            candidates = [Candidate(way.name, way.page, PAGES) for way in everyone]
            times = await compare(candidates, stand.rounds, "wall", stand.tick)
        counts = await _counted(url)
    finally:
        await connection.execute(DROP)
        await connection.close()
    page = f"a list of {PROJECTS} projects, and of each how many parts it has and what they cost"
    says = Values("n-plus-one", {key: float(found.evidence[key]) for key in ("runs", "rows")})
    return [
        Section("n_plus_one", f"N+1: a page of 1 + {PROJECTS} queries, wall time", f"Per page: {page}.", [*times]),
        Section(
            "n_plus_one", "N+1: queries that reach the server", "Per page, counted on the wire.", counts, exact=True
        ),
        Section("n_plus_one", "N+1: what galvo's index plugin says of it", f"{found.seen} {found.advice}", [says]),
    ]


@asynccontextmanager
async def _ways(url: str) -> AsyncIterator[tuple[list[Way], Kernel]]:
    """The baseline first, and a kernel that sees all statements which reach the server."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(url, min_size=1, max_size=1))
        kernels = []
        for mode in ("off", "active"):
            overrides: Overrides = {
                "pool": {"url": url, "min_size": 1, "max_size": 1},
                "embedded": {"on": False},
                "cache": {"mode": mode, "warm": 0},  # what is read again after a start is nobody's page
            }
            kernels.append(await stack.enter_async_context(Kernel.from_settings(overrides=overrides)))
        uncached, cached = kernels
        forget = cached.find_capability("cache").clear
        found = [
            Way(f"asyncpg.Pool, 1+{PROJECTS}", _one_by_one(pool.fetch)),
            Way("asyncpg.Pool, joined", _joined(pool.fetch)),
            Way(f"no cache, 1+{PROJECTS}", _one_by_one(uncached.fetch)),
            Way(f"galvo, 1+{PROJECTS}", _one_by_one(cached.fetch), forget),
            Way("galvo, joined", _joined(cached.fetch), forget),
        ]
        yield found, uncached


def _one_by_one(fetch: Callable[..., Awaitable[list[Any]]]) -> Show:
    async def page() -> Page:
        return [(*row, *(await fetch(EACH, row["id"]))[0]) for row in await fetch(LIST)]

    return page


def _joined(fetch: Callable[..., Awaitable[list[Any]]]) -> Show:
    async def page() -> Page:
        return [tuple(row) for row in await fetch(JOINED)]

    return page


async def _checked(everyone: list[Way]) -> None:
    pages = {way.name: await way.page() for way in everyone}
    for name, page in pages.items():
        must(len(page) == PROJECTS and page == pages[everyone[0].name], f"{name} shows another page")


async def _noticed(kernel: Kernel, everyone: list[Way]) -> Finding:
    """Pages are asked for until the watch says what it saw, as an application would. Raises GalvoError."""
    index = kernel.find_capability("index")
    for _ in range(ENOUGH):
        await everyone[2].page()
        for finding in index.findings():
            if finding.rule == "n-plus-one":
                found: Finding = finding
                return found
    must(False, f"the index plugin did not notice {ENOUGH} pages of 1 + {PROJECTS} queries")
    raise AssertionError


async def _counted(url: str) -> list[Any]:
    """The first page, and one that has been asked for before; statements have been prepared and looked at."""
    counts, rows = Counts(), []
    async with counted(url, counts) as proxied, _ways(proxied) as (everyone, _):
        await _checked(everyone)  # and whatever is asked at a start has been
        for way in everyone:
            way.forget()
            found: dict[str, float] = {}
            for when in ("first", "again"):
                counts.clear()
                await way.page()
                found |= {f"{when}, queries": counts["queries"], f"{when}, trips": counts["trips"]}
            rows.append(Values(way.name, found))
    return rows
