"""`galvo index explain` and `galvo index slow`."""

from __future__ import annotations

import asyncio
import io
import json

import asyncpg
import pytest

from galvo_index.cli import main

SETUP = """create table big as select n as id, n % 1000 as kind, repeat('x', 60) as note
from generate_series(1, 20000) n; analyze big; create table ran(n int);
create function runs() returns int language sql volatile as 'insert into ran values (1) returning 1';"""


def run(dsn: str, sql: str) -> None:
    async def once() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(once())


@pytest.fixture
def big(dsn: str) -> str:
    run(dsn, SETUP)
    return dsn


def test_explain_shows_the_plan_and_what_is_wrong(big: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", big, "select * from big where kind = 4711"]) == 0
    shown = capsys.readouterr().out
    assert "Seq Scan big" in shown
    assert "create index concurrently galvo_big_kind_" in shown
    assert "4711" not in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if not line.startswith("    create"))
    assert main(["explain", big, "select * from big where kind = 4711", "--analyze", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["measured"]
    assert [finding["rule"] for finding in found["findings"]] == ["sequential-scan"]
    assert main(["explain", big, "select count(*) from big"]) == 0
    assert "nothing is wrong with it" in capsys.readouterr().out


def test_a_plan_without_values(big: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", big, "select * from big where kind = $1 and id > $2"]) == 0
    assert "create index concurrently" in capsys.readouterr().out
    assert main(["explain", big, "select * from big where kind = $1", "--analyze"]) == 1
    assert "must be replaced by values" in capsys.readouterr().err


@pytest.mark.parametrize(
    "sql, says",
    [
        ("select 1; drop table big", "only a single SELECT"),
        ("drop table big", "only a single SELECT"),
        ("select from where", "cannot be parsed"),
        ("select * from missing", 'relation "missing" does not exist'),
        ("insert into ran values (1)", "read-only transaction"),
        ("select runs()", "read-only transaction"),
        ("commit", "only a single SELECT"),
        ("select pg_sleep(30)", "took too long"),
        ("select 'é\ud800'", "cannot be parsed"),
    ],
)
def test_what_cannot_be_run_is_told_and_does_nothing(
    sql: str, says: str, big: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", big, sql, "--analyze", "--timeout", "0.5"]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("galvo: ")
    run(big, "do $$ begin assert (select count(*) from ran) = 0; assert (select count(*) from big) > 0; end $$")


def test_a_write_is_explained_but_not_made(big: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", big, "delete from big where kind = 7"]) == 0
    assert "ModifyTable" in capsys.readouterr().out
    run(big, "do $$ begin assert (select count(*) from big) = 20000; end $$")


def test_a_plan_of_auto_explain(
    big: str, tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plan() -> str:
        connection = await asyncpg.connect(big)
        try:
            sql = "explain (format json, verbose, analyze) select * from big where kind = 7"
            return str(await connection.fetchval(sql))
        finally:
            await connection.close()

    (found,) = json.loads(asyncio.run(plan()))
    path = f"{tmp_path}/plan.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"Query Text": "select * from big where kind = 7", **found}, file)
    monkeypatch.setattr("sys.stdin", io.StringIO("select * from big where kind = 7"))
    assert main(["explain", big, "-", "--plan", path]) == 0
    assert "sequential-scan" in capsys.readouterr().out
    for text in ("[]", "{}", "nonsense", '{"Plan": 1}'):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        assert main(["explain", big, "select 1", "--plan", path]) == 1
        assert "no plan in JSON" in capsys.readouterr().err
    assert main(["explain", big, "select 1", "--plan", "/missing"]) == 1


def test_slow_says_how_to_get_the_statistics(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slow", dsn]) == 1
    assert "create extension pg_stat_statements" in capsys.readouterr().err


def test_slow_shows_what_takes_time(debian_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(debian_dsn, f"create extension pg_stat_statements; {SETUP}")
    for _ in range(3):
        run(debian_dsn, "select count(*) from big where note <> 'secret'")
    assert main(["slow", debian_dsn, "--by", "calls", "--count", "50"]) == 0
    shown = capsys.readouterr().out
    assert "select count(*) from big where note <>" in shown
    assert "secret" not in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert main(["slow", debian_dsn, "--json"]) == 0
    assert any(one["calls"] == 3 for one in json.loads(capsys.readouterr().out))
    assert main(["slow", debian_dsn, "--at-least", "1000"]) == 0
    assert "no statements" in capsys.readouterr().out


def test_slow_for_who_may_not_see_others(debian_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(debian_dsn, "create extension pg_stat_statements; create role nosy_one login; select 'mine'")
    try:
        assert main(["slow", debian_dsn.replace("postgres@", "nosy_one@"), "--count", "100"]) == 0
        assert "another role's" in capsys.readouterr().out
    finally:
        run(debian_dsn, "drop role nosy_one")
