"""`galvo index apply`, `journal`, `verify` and `undo`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from galvo_index.cli import main
from tests.plugins.index.apply.kills import INDEX, check, make_table


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "indexes.sql"
    path.write_text(
        f"-- what we want\n{INDEX};\ncreate index if not exists by_price on public.item using btree (price);"
    )
    return str(path)


@pytest.fixture
def table(debian_dsn: str) -> str:
    async def prepare() -> None:
        connection = await asyncpg.connect(debian_dsn)
        await connection.execute("create extension pg_stat_statements")
        await make_table(connection)
        await connection.close()

    asyncio.run(prepare())
    return debian_dsn


def checked(dsn: str) -> None:
    async def look() -> None:
        connection = await asyncpg.connect(dsn)
        await check(connection)
        await connection.close()

    asyncio.run(look())


def test_from_consent_to_undo(table: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", table, "--sql", file]) == 1
    shown = capsys.readouterr()
    assert "create index concurrently galvo_item_price_" in shown.out
    assert "nothing was changed: there is nobody to ask here, so say --yes" in shown.err
    assert main(["journal", table]) == 0
    assert capsys.readouterr().out == "galvo has built nothing here\n"

    assert main(["apply", table, "--sql", file, "--yes"]) == 0
    out = capsys.readouterr().out
    assert out.count(": built in 0.") + out.count(": built in\n  0.") == 2, out
    checked(table)
    assert main(["journal", table]) == 0
    out += capsys.readouterr().out
    assert "   1 built  " in out
    assert main(["verify", table]) == 0
    out += capsys.readouterr().out
    assert out.count("not known yet") == 2
    assert main(["apply", table, "--sql", file, "--yes", "--json"]) == 1
    assert "has this index already" in json.loads(capsys.readouterr().out)["indexes"][0]["text"]

    assert main(["undo", table, "--id", "7", "--yes"]) == 1
    assert "no index is there of the entries 7" in capsys.readouterr().err
    assert main(["undo", table, "--id", "2", "--yes"]) == 0
    assert main(["undo", table, "--yes"]) == 0
    out += capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines()), out
    checked(table)
    assert main(["journal", table, "--json"]) == 0
    assert [entry["state"] for entry in json.loads(capsys.readouterr().out)] == ["dropped", "dropped"]
    assert main(["undo", table, "--yes"]) == 0
    assert capsys.readouterr().out == "there was nothing to undo\n"


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("create index on", "the SQL does not parse: syntax error at end of input"),
        ("create index on t (a); drop table item", "statement 2 is no CREATE INDEX"),
        ("create unique index on t (a)", "statement 1 is a UNIQUE index"),
        ("create index on t (a) tablespace x", "statement 1 names TABLESPACE, which galvo does not set"),
        ("create index on t (a) with (fillfactor = 70)", "statement 1 names WITH (...)"),
    ],
)
def test_files_that_are_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str) -> None:
    path = tmp_path / "bad.sql"
    path.write_text(text)
    assert main(["apply", "postgresql://nobody@127.0.0.1:1/none", "--sql", str(path), "--yes"]) == 1
    assert f"{path}: {sentence}" in capsys.readouterr().err
