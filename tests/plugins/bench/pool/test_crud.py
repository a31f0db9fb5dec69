"""Rows written and read through every pool: what is left is right, and a pool that loses a row ends the run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from galvo import GalvoError
from galvo_bench.method.rounds import AGAIN
from galvo_bench.pool import crud, crud_operations, crud_ways
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"ROWS": 50, "SINGLE": 10, "MANY": 5, "COPIED": 20, "BATCHES": 2, "COPIES": 2, "ASKED": 2}
    for name, value in few.items():
        monkeypatch.setattr(crud_operations, name, value)
    monkeypatch.setattr(crud, "ROWS", 50)


async def test_every_operation_of_every_pool(server_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    sections = await crud.measure(Stand(server_dsn, rounds=1))
    summary, *rest = sections
    assert len(rest) == 2 * len(crud_operations.OPERATIONS)
    names = [crud_ways.BASELINE, "galvo, no kernel", "galvo with cache", "psycopg_pool"]
    for section in rest:
        assert [row.name for row in section.rows] == [*names, AGAIN], section.title
    assert [row.name for row in summary.rows][:2] == ["Insert a row", "Read a row"]
    for row in summary.rows:
        assert isinstance(row, Values)
        assert list(row.values) == [*names[1:], "A/A"]
    for section in sections:
        show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    connection = await asyncpg.connect(server_dsn)
    try:
        left = "select count(*) from pg_class where relname like 'galvo_bench_crud%'"
        assert await connection.fetchval(left) == 0
    finally:
        await connection.close()


class Forgetful(crud_ways.Pooled):
    async def copy_in(self, rows: Any) -> object:
        return await super().copy_in(rows[1:])


class Idle(crud_ways.Pooled):
    """Has its updates wait for ever."""

    def __init__(self, name: str, table: str, pool: Any) -> None:
        super().__init__(name, table, pool)
        run = self.execute

        async def execute(sql: str, *args: Any) -> Any:
            return None if sql.startswith("update") else await run(sql, *args)

        self.execute = execute


class Renaming(crud_ways.Pooled):
    """The keys are right."""

    def __init__(self, name: str, table: str, pool: Any) -> None:
        super().__init__(name, table, pool)
        self.executemany = lambda sql, rows: pool.executemany(sql, [(key, "?", price) for key, _, price in rows])


class Stale(crud_ways.Pooled):
    """A cache that nobody invalidates."""

    def __init__(self, name: str, table: str, pool: Any) -> None:
        super().__init__(name, table, pool)
        ask, known = self.fetch, {}

        async def fetch(sql: str, *args: Any) -> Any:
            if (sql, args) not in known or sql.startswith("insert"):
                known[sql, args] = await ask(sql, *args)
            return known[sql, args]

        self.fetch = fetch


@pytest.mark.parametrize("kind, operation, said", [
    (Forgetful, "COPY 2,000 rows in", "liar left other rows: COPY"),
    (Idle, "Update a row", "liar left other rows: Update"),
    (Renaming, "Insert 100 rows, executemany", "liar left other rows: Insert"),
    (Stale, "Update a row and read it", "liar did not read what it had written"),
])  # fmt: skip
async def test_a_pool_that_is_wrong_ends_the_run(
    kind: type[crud_ways.Pooled], operation: str, said: str, server_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [found for found in crud_operations.OPERATIONS if found.name == operation]
    monkeypatch.setattr(crud, "OPERATIONS", one)

    @asynccontextmanager
    async def liar(url: str, table: str) -> AsyncIterator[tuple[list[crud_ways.Way], list[Missing]]]:
        async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
            yield [kind("liar", table, pool)], []

    monkeypatch.setattr(crud, "ways", liar)
    with pytest.raises(GalvoError, match=said):
        await crud.measure(Stand(server_dsn, rounds=2))
