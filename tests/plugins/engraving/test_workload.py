from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from galvo_engraving import load, reads, workload, writes
from galvo_engraving.world import Client, World
from tests.thorough import some

pytestmark = pytest.mark.anyio
REQUESTS = len(some(range(1_600), 2))
Checksum = Callable[..., Awaitable[dict[str, str]]]
CHANGING = ("id", "created_at", "updated_at", "queued_at", "finished_at")
"""Columns that a clock or the order of arrival decides."""


class Recorder:
    """Notes what is asked and by how many at once, and lets asyncpg answer."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.asked: list[tuple[Any, ...]] = []

    async def fetch(self, query: str, *args: Any) -> Any:
        self.asked.append((query, *args))
        return await self._pool.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Any:
        self.asked.append((query, *args))
        return await self._pool.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        self.asked.append((query, *args))
        return await self._pool.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        self.asked.append((query, *args))
        status: str = await self._pool.execute(query, *args)
        return status

    def acquire(self) -> Any:
        return self._pool.acquire()


@pytest.fixture
async def pool(shop: str) -> Any:
    async with asyncpg.create_pool(shop, min_size=4, max_size=4) as pool:
        yield pool


@pytest.mark.parametrize("clients", [1, 8])
async def test_the_same_seed_does_the_same_on_two_databases(
    con: Any, pool: Any, checksum: Checksum, clients: int
) -> None:
    seen = []
    for _ in range(2):
        await con.execute("drop table if exists engraving.generation")
        await load.load(con, 0.05, seed=1)
        world, db = await World.read(pool), Recorder(pool)
        outcome = await workload.run(db, world, clients=clients, seed=5, requests=REQUESTS // clients)
        assert (outcome.errors, outcome.first_error, outcome.stale) == (0, "", 0)
        numbers = outcome.requests, outcome.writes, outcome.queries
        seen.append((numbers, sorted(map(str, db.asked)), await checksum(con, without=CHANGING)))
    assert seen[0] == seen[1]
    assert seen[0][0][0] == REQUESTS


async def test_another_seed_asks_for_something_else(pool: Any) -> None:
    world = await World.read(pool)
    asked = []
    for seed in (1, 2):
        db = Recorder(pool)
        await workload.run(db, world, clients=2, seed=seed, requests=50)
        asked.append(sorted(map(str, db.asked)))
    assert asked[0] != asked[1]


async def test_two_to_five_per_cent_are_writes(pool: Any) -> None:
    shares = sum(share for share, request in workload.MIX if request in workload.WRITES)
    assert sum(share for share, _ in workload.MIX) == 10_000
    assert 200 <= shares <= 500
    outcome = await workload.run(pool, await World.read(pool), clients=4, seed=3, requests=750)
    assert 0.02 <= outcome.writes / outcome.requests <= 0.05


@pytest.mark.parametrize("request_kind", [r for _, r in workload.MIX], ids=lambda r: r.__name__)
async def test_a_request_says_how_many_queries_it_made(pool: Any, request_kind: workload.Request) -> None:
    world = await World.read(pool)
    for number in range(5):
        db = Recorder(pool)
        made = await request_kind(db, Client(world, 9, number, 5))
        # The queries of a transaction go to a connection: its three statements, BEGIN and COMMIT.
        assert made == (len(db.asked) if request_kind is not writes.order else 5)
        assert 1 <= made <= 6


async def test_pages_are_not_empty(pool: Any) -> None:
    world = await World.read(pool)
    assert await pool.fetch(reads.TEMPLATES, world.groups[0], reads.PAGE, 0)
    assert len(await pool.fetch(reads.PARAMETERS, 1)) >= 10
    assert await pool.fetch(reads.MATERIALS, world.families[0], reads.PAGE)
    assert await pool.fetch(reads.SHEET, *world.sheets[0])
    project = await pool.fetchrow(reads.PROJECT, 1)
    assert project["customer"]
    parts = await pool.fetch(reads.PARTS, 1)
    assert project["parts"] == sum(part["operation"] == "cut" for part in parts)
    assert await pool.fetchrow(reads.JOB, world.jobs)


async def test_reads_could_be_cached() -> None:
    statements = [value for name, value in vars(reads).items() if name.isupper() and isinstance(value, str)]
    assert len(statements) > 10
    for statement in statements:
        assert "now()" not in statement
        assert "limit" not in statement or "order by" in statement


async def test_clients_never_write_to_each_others_rows(pool: Any) -> None:
    world = await World.read(pool)
    owners: dict[int, int] = {}
    for number in range(7):
        client = Client(world, 1, number, 7)
        for _ in range(500):
            row = client.own(world.projects)
            assert 1 <= row <= world.projects
            assert owners.setdefault(row, number) == number


async def test_a_timed_run_ends_in_time(pool: Any) -> None:
    outcome = await workload.run(pool, await World.read(pool), clients=4, seed=1, seconds=0.5)
    assert 0.4 < outcome.seconds < 3
    assert outcome.latencies.count == outcome.requests > 0


async def test_failed_requests_are_counted(con: Any, pool: Any) -> None:
    world = await World.read(pool)
    await con.execute("drop table engraving.job cascade")
    outcome = await workload.run(pool, world, clients=2, seed=1, requests=100)
    assert 0 < outcome.errors < outcome.requests == 200
    assert "UndefinedTableError" in outcome.first_error


async def test_a_stale_answer_is_noticed(pool: Any) -> None:
    class Stale(Recorder):
        async def fetchval(self, query: str, *args: Any) -> Any:
            return "an old name"

    client = Client(await World.read(pool), 1, 0, 1)
    await writes.rename_project(Stale(pool), client)
    assert client.stale == 1


async def test_nonsense_is_refused(pool: Any) -> None:
    world = await World.read(pool)
    with pytest.raises(ValueError, match="never ends"):
        await workload.run(pool, world)
    with pytest.raises(ValueError, match="rows of their own"):
        await workload.run(pool, world, clients=100_000, requests=1)
    with pytest.raises(ValueError, match="rows of their own"):
        await workload.run(pool, world, clients=0, requests=1)
