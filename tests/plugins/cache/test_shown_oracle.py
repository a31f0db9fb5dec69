"""Random reads: what the analysis says of the rows that an answer shows must be what their tables hold."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

import asyncpg
import pytest

from galvo_cache.analysis import Read, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog
from galvo_cache.effects import Const, Output, Param, Source
from galvo_cache.touch import token_of
from tests.plugins.cache.mutants import SHOWN, mutate
from tests.plugins.cache.rows_grammar import Dice, read
from tests.plugins.cache.test_rows_oracle import SCHEMA, Model
from tests.thorough import some, soonest

ROUNDS = 25
READS = 150


def value(source: Source, args: list[Any], record: Any) -> Any:
    match source:
        case Param(index):
            return args[index]
        case Const(literal):
            return literal
        case Output(column):
            return record[column]


class Looker:
    """Asks, and compares each row that an answer shows with the table."""

    def __init__(self, connection: asyncpg.Connection, catalog: Catalog) -> None:
        self.model = Model(connection, catalog)
        self.catalog = catalog
        self.wrong: list[str] = []
        self.checks = 0
        self.absent = 0
        self.tables: dict[tuple[int, str], dict[int | None, Any]] = {}

    async def fill(self, dice: Dice) -> None:
        await self.model.fill(dice)
        self.tables.clear()

    async def look(self, dice: Dice) -> None:
        sql = read(dice)
        effect = analyse(sql, self.catalog)
        if not isinstance(effect, Read) or not effect.shown:
            return
        with contextlib.suppress(asyncpg.PostgresError):
            args = dice.values(await self.model.parameters(sql))
            for record in await self.model.connection.fetch(sql, *args):
                for part in effect.shown:
                    await self.compare(part.table, part.key, part.source, part.lanes, args, record, sql)

    async def compare(
        self,
        table: int,
        key: str,
        source: Source,
        lanes: tuple[tuple[str, Source], ...],
        args: list[Any],
        record: Any,
        sql: str,
    ) -> None:
        found = value(source, args, record)
        if found is None:
            self.absent += 1
            return
        row = (await self.rows(table, key)).get(token_of(found))
        for name, place in lanes:
            self.checks += 1
            shown = value(place, args, record)
            if row is None or token_of(row[name]) != token_of(shown):
                self.wrong.append(f"{sql} {args}: {key} = {found!r} does not have {name} = {shown!r}")

    async def rows(self, table: int, key: str) -> dict[int | None, Any]:
        if (table, key) not in self.tables:
            relation = self.catalog.relation(table)
            assert relation is not None
            rows = await self.model.connection.fetch(f"select * from {relation.name}")
            self.tables[table, key] = {token_of(row[key]): row for row in rows}
        return self.tables[table, key]


async def run(dsn: str, rounds: Iterable[int]) -> Looker:
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        await connection.execute(SCHEMA)
        looker = Looker(connection, Catalog.load(await connection.fetchval(CATALOG_SQL)))
        for number in rounds:
            dice = Dice(number)
            await looker.fill(dice)
            for _ in range(READS):
                await looker.look(dice)
            if looker.wrong:
                break
        return looker
    finally:
        await connection.close()


@pytest.mark.timeout(300)
def test_what_answers_show_is_so(dsn: str) -> None:
    looker = asyncio.run(run(dsn, range(ROUNDS)))
    assert not looker.wrong
    assert looker.checks > 5_000
    assert looker.absent > 50, "no outer join has met nothing"


SOON = {"a key that a condition names is there": 15}
"""Rounds that find what the first ones do not."""


@pytest.mark.parametrize("name", some(SHOWN, 8))
@pytest.mark.timeout(300)
def test_the_check_finds_a_broken_rule(dsn: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mutate(monkeypatch, *SHOWN[name])
    assert asyncio.run(run(dsn, soonest(range(2 * ROUNDS), SOON.get(name, 0)))).wrong
