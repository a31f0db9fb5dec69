"""A stampede in real processes: what is counted is what the database was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from redis import Redis

from galvo import GalvoError
from galvo_bench.cache import stampede
from galvo_bench.counts.proxy import Counts
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Values
from galvo_embedded import Servers
from tests.plugins.bench.test_subjects import OneRound

pytestmark = pytest.mark.anyio
TASKS = 6


@pytest.fixture
def stand(server_dsn: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneRound]:
    monkeypatch.setattr(stampede, "TASKS", TASKS)
    redis = asyncio.run(servers.redis())
    yield OneRound(server_dsn, redis)
    with Redis.from_url(redis) as client:
        assert client.info("keyspace") == {}, "the subject left keys behind"


async def test_who_asks_the_database(
    stand: OneRound, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("no cache", "galvo", "cashews, lock")
    monkeypatch.setattr(stampede, "WAYS", dict.fromkeys(names))
    [section] = await stampede.measure(stand)
    show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    plain, galvo, cashews = (row.values for row in section.rows if isinstance(row, Values))
    assert plain["1: asked"] == plain["2: asked"] == TASKS
    assert galvo["1: asked"] == cashews["1: asked"] == 1
    assert galvo["2: asked"] <= 2, "two processes read, where Redis did not answer in time"


class Liar:
    """Stands in for a process."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = [*answers]

    def tell(self, command: object) -> None:
        pass

    async def hear(self) -> dict[str, Any]:
        return self.answers.pop(0)


async def test_a_wrong_answer_ends_the_run(server_dsn: str) -> None:
    judge = await asyncpg.connect(server_dsn)
    try:
        await judge.execute(stampede.SCHEMA.format(rows=3))
        liar: Any = Liar({"ready": True}, {"seconds": 1.0, "answers": [[[3, 0.0]]]})
        with pytest.raises(GalvoError, match="cashews gives another answer"):
            await stampede._run("cashews", [liar], Counts(), judge, 1)
        absent: Any = Liar({"missing": "not installed"})
        assert await stampede._run("cashews", [absent], Counts(), judge, 1) == Missing("cashews", "not installed")
    finally:
        await judge.execute("drop table bench_stampede")
        await judge.close()
