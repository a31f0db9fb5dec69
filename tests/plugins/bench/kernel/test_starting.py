"""Starts until the first answer: every way by itself, and the subject's processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from time import monotonic

import asyncpg
import pytest
from redis import Redis

from galvo import GalvoError
from galvo_bench.kernel import starter, starting
from galvo_bench.kernel.hot_path import SCHEMA
from galvo_bench.method.rounds import AGAIN
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Values
from galvo_bench.running.stand import Stand
from galvo_embedded import Servers

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis(servers: Servers) -> Iterator[str]:
    url = asyncio.run(servers.redis())
    yield url
    with Redis.from_url(url) as client:
        client.flushall()


@pytest.mark.parametrize("way", starter.WAYS)
async def test_the_parts_of_a_start_are_all_of_it(way: str, dsn: str, redis: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    await connection.close()
    told = await starter.started(way, monotonic(), dsn, redis)
    assert told["ready"] == pytest.approx(told["imports"] + told["start"] + told["first"])
    assert all(told[part] > 0 for part in starting.PARTS)


async def test_a_start_with_another_answer_is_refused(dsn: str, redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA + "delete from bench_material where id = 7")
    await connection.close()
    with pytest.raises(SystemExit, match="asyncpg gave another answer"):
        await starter.started("asyncpg", monotonic(), dsn, redis)


class WithRedis(Stand):
    def __init__(self, postgres: str, redis: str) -> None:
        super().__init__(postgres, rounds=1)
        self._redis = redis

    async def redis(self) -> str:
        return self._redis


async def test_sections(
    server_dsn: str, redis: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(starting, "NAMES", {"asyncpg.create_pool": "asyncpg"})
    monkeypatch.setitem(sys.modules, "psycopg_pool", None)
    ready, parts = await starting.measure(WithRedis(server_dsn, redis))
    assert [row.name for row in ready.rows] == ["asyncpg.create_pool", AGAIN, "psycopg_pool"]
    assert ready.rows[-1] == Missing("psycopg_pool", "not installed")
    [row] = parts.rows
    assert isinstance(row, Values)
    assert row.values["MiB"] > 10
    for section in (ready, parts):
        show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


async def test_a_start_that_fails_says_why() -> None:
    nowhere = starting.Starts("asyncpg", "postgresql://anna:secret@127.0.0.1:1/shop", "")
    with pytest.raises(GalvoError, match="the start of asyncpg ended with exit code 1") as found:
        await nowhere.start()
    assert "secret" not in str(found.value)
