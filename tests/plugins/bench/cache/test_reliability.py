"""Reads while Redis is broken: a lie counts as wrong, an error as an error, and Redis is whole afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NotThere

from galvo_bench.cache import faults, reads_due, reliability
from galvo_bench.cache.faults import Breakable
from galvo_bench.cache.reads_due import Load, Read, told
from galvo_bench.cache.through import Rows, Through
from galvo_bench.reports.table import show
from galvo_bench.results.model import Values
from galvo_bench.running import stand as standing
from galvo_bench.running.stand import Stand
from tests.conftest import until_released

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning"),  # the peers' calls of redis-py
]
SECONDS = 0.5


@pytest.fixture
def stand(server_dsn: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr(standing, "FOLDER", folder)
    made = Stand(server_dsn, rounds=1)
    yield made
    made.close()
    until_released(folder)


async def test_a_redis_breaks_and_is_whole_again(stand: Stand) -> None:
    redis = Breakable(stand, "breakable")
    await redis.start()
    async with connected(redis.url) as client:
        await client.set("a", "1")
        await redis.pause()
        asking = asyncio.create_task(client.get("a"))
        done, _ = await asyncio.wait([asking], timeout=0.1)
        assert not done, "a Redis that is paused has answered"
        await redis.go_on()
        assert await asking == b"1"
        await redis.kill()
        with suppress(NotThere):
            while True:  # the signal may take a moment
                await client.ping()
        await redis.again()
        assert await client.get("a") is None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(url, retry=None)
    try:
        yield client
    finally:
        await client.aclose()


class Database:
    """What is written and read at once."""

    def __init__(self) -> None:
        self.versions = [0] * (reads_due.KEYS + 1)

    async def read(self, key: int) -> Rows:
        return [(self.versions[key],)]

    async def write(self, sql: str, key: int, version: int) -> None:
        self.versions[key] = version

    async def committed(self, key: int) -> int:
        return self.versions[key]


async def loaded(database: Database, read: Callable[[int], Awaitable[Rows]]) -> dict[str, float]:
    load = Load(Through(read, database.write), Through(database.read, database.write), database.committed)
    await load.run(SECONDS)
    return told(load.reads, load.writes)


async def test_right_answers_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database()
    found = await loaded(database, database.read)
    assert found["reads"] > 50
    assert (found["wrong"], found["errors"], found["failed"]) == (0, 0, 0)
    assert sum(version > 0 for version in database.versions) > 0, "nothing was written"


async def test_an_answer_that_is_older_than_an_acknowledged_write_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads_due, "KEYS", 1)

    async def forever(key: int) -> Rows:
        return [(0,)]

    found = await loaded(Database(), forever)
    assert 0 < found["wrong"] < found["reads"], "those before the first write are right"


async def test_errors_and_what_never_comes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads_due, "IN_FLIGHT", 5)
    monkeypatch.setattr(reads_due, "PATIENCE", 0.05)
    never = anyio.Event()

    async def refused(key: int) -> Rows:
        raise ConnectionError

    async def silent(key: int) -> Rows:
        await never.wait()
        return []

    found = await loaded(Database(), refused)
    assert found["errors"] == found["reads"] > 50
    database = Database()
    load = Load(Through(silent, database.write), Through(silent, database.write), database.committed)
    await load.run(SECONDS)
    outcomes = [read.outcome for read in load.reads]
    assert outcomes.count("lost") == 5
    assert outcomes.count("shed") == len(outcomes) - 5 > 50


def test_who_fails_fast_is_not_fast() -> None:
    reads = [Read(0.0, number / 1000, "right") for number in range(101)]
    assert told(reads, [])["p50 ms"] == pytest.approx(50)
    assert told(reads, [])["p99 ms"] == pytest.approx(99)
    for outcome in ("error", "shed", "lost"):
        assert told([*reads, *[Read(0.0, 0.0001, outcome)] * 102], [])["p50 ms"] == reads_due.PATIENCE * 1e3
    assert told([], [])["p99 ms"] == 0


async def test_a_real_restart(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever happens to Redis, galvo's answers are right and nobody gets an error."""
    for name in ("BEFORE", "DURING", "AFTER"):
        monkeypatch.setattr(reliability, name, 0.4)
    monkeypatch.setattr(reliability, "COMPARED", ("galvo", "cashews"))
    monkeypatch.setattr(reliability, "FAULTS", [fault for fault in faults.FAULTS if fault.name == "restarted"])
    [section] = await reliability.measure(stand)
    show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    rows = {row.name: row.values for row in section.rows if isinstance(row, Values)}
    phases = ("before", "during", "after")
    assert list(rows) == [f"{name}, {phase}" for name in ("galvo", "cashews") for phase in phases]
    for phase in phases:
        found = rows[f"galvo, {phase}"]
        assert found["reads"] > 30
        assert found["wrong"] == found["errors"] == 0
    [plot] = section.plots
    assert list(plot.lines) == ["galvo", "cashews"]
    assert len(plot.lines["galvo"]) > 5
