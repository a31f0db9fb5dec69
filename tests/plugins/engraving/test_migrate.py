"""Migrations on a real database: once each, by one process at a time, all of it or nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from galvo_engraving import migrate as module
from galvo_engraving.migrate import Migration, MigrationProblem, migrate, migrations
from galvo_engraving.migrating import main

pytestmark = pytest.mark.anyio
APPLIED = "select number from engraving.migration order by number"


async def test_each_runs_once(con: Any) -> None:
    assert await migrate(con) == list(migrations())
    assert await migrate(con) == []
    assert [row[0] for row in await con.fetch(APPLIED)] == [one.number for one in migrations()]


def test_they_are_numbered_without_a_gap() -> None:
    assert [one.number for one in migrations()] == list(range(1, len(migrations()) + 1))


async def test_two_processes_that_start_at_once(con: Any, dsn: str) -> None:
    other = await asyncpg.connect(dsn)
    try:
        first, second = await asyncio.gather(migrate(con), migrate(other))
    finally:
        await other.close()
    assert sorted([len(first), len(second)]) == [0, len(migrations())]


async def test_one_that_fails_leaves_nothing_of_itself(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Migration(1, "good", "create table engraving.good (id int)")
    bad = Migration(2, "bad", "create table engraving.bad (id int); select 1 / 0")
    monkeypatch.setattr(module, "migrations", lambda: (good, bad))
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(con)
    assert [row[0] for row in await con.fetch(APPLIED)] == [1]
    assert await con.fetchval("select to_regclass('engraving.bad')") is None
    mended = Migration(2, "bad", "create table engraving.bad (id int)")
    monkeypatch.setattr(module, "migrations", lambda: (good, mended))
    assert await migrate(con) == [mended]  # and the lock was given back


async def test_a_database_of_a_newer_version_is_refused(con: Any) -> None:
    await migrate(con)
    await con.execute("insert into engraving.migration values (9999, 'later', 'x')")
    with pytest.raises(MigrationProblem, match=r"has migration 9999 later, .* does not know"):
        await migrate(con)


async def test_one_that_was_changed_afterwards_is_refused(con: Any) -> None:
    await migrate(con)
    await con.execute("update engraving.migration set digest = 'x' where number = 2")
    with pytest.raises(MigrationProblem, match="0002 machines was changed after this database had run it"):
        await migrate(con)


def test_the_command(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", dsn]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(migrations())} of {len(migrations())} migrations were run"
    assert main(["--url", dsn]) == 0
    assert capsys.readouterr().out == "nothing to do\n"


@pytest.mark.parametrize(
    "words, code, said",
    [
        ([], 2, "which database? Give --url"),
        (["--url", "postgresql://127.0.0.1:1/nothing"], 1, "the database cannot be migrated: "),
        (["--url", "nonsense"], 1, "the database cannot be migrated: "),
    ],
)
def test_what_cannot_be_migrated_is_one_sentence(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    told = capsys.readouterr().err
    assert told.startswith(f"galvo: {said}")
    assert told.count("\n") == 1
