"""`galvo index health`: exit codes, --only, --json, and what cannot be looked at."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import asyncpg
import pytest

from galvo_index.cli import main
from galvo_index.health import RULES
from galvo_index.health.rules import GROUPS

CRITICAL = "create table log(id smallint primary key generated always as identity); select setval('log_id_seq', 32700)"


def execute(dsn: str, sql: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(run())


def test_nothing_critical(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", dsn, "--only", "duplicate-index", "--only", "prefix-index"]) == 0
    assert "nothing found, by 2 rules" in capsys.readouterr().out


def test_something_critical(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    execute(dsn, CRITICAL)
    assert main(["health", dsn]) == 3
    assert "!! exhausted-sequence: public.log_id_seq" in capsys.readouterr().out


def test_a_warning_is_no_failure(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    execute(dsn, "create table t(a int); create index on t(a); create index on t(a)")
    assert main(["health", dsn, "--only", "duplicate-index"]) == 0
    assert "1 found, 1 warning, by 1 rule" in capsys.readouterr().out


def test_json(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    execute(dsn, CRITICAL)
    assert main(["health", dsn, "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert report["rules"] == list(RULES)
    found = next(one for one in report["findings"] if one["rule"] == "exhausted-sequence")
    assert found["severity"] == "critical"
    assert found["sql"] == "alter table public.log alter column id type bigint"


def test_a_rule_that_does_not_exist(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["health", dsn, "--only", "luck"])
    assert "unused-index" in capsys.readouterr().err


def test_the_readme_names_all_rules(project: Path) -> None:
    text = (project / "plugins/index/README.md").read_text()
    rows = {group: re.findall(r"`([a-z-]+)`", line) for line in text.splitlines() for group in GROUPS
            if line.startswith(f"| {group} |")}  # fmt: skip
    assert rows == {group: list(rules) for group, rules in GROUPS.items()}


@pytest.mark.parametrize(
    "url,said",
    [
        ("postgresql://nobody:secret@127.0.0.1:1/none", "cannot connect to the database"),
        ("postgresql://nobody:secret@[/none", "the URL cannot be read"),
    ],
)
def test_no_database(url: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", url]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error
