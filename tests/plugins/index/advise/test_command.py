"""`galvo index advise`, as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from galvo_index.cli import main

FILE = """
-- calls: 10
select note from orders where customer = 7;
select note from orders where status = 'pending' order by placed;
selec nothing;
"""


@pytest.fixture
def workload(tmp_path: Path) -> str:
    path = tmp_path / "workload.sql"
    path.write_text(FILE)
    return str(path)


def test_it_prints_the_indexes_with_their_gains_in_80_columns(
    shop_dsn: str, workload: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advise", shop_dsn, "--workload", workload]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "Nothing was created." in out
    assert "create index concurrently galvo_orders_customer" in out
    assert "where status = 'pending'" in " ".join(out.split())
    assert "times cheaper: select note from orders where customer" in out
    assert "line 5: syntax error" in out


def test_json_has_the_same(shop_dsn: str, workload: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", shop_dsn, "--workload", workload, "--json", "--budget", "2MB"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verified"] == "hypopg"
    assert all(one["sql"].startswith("create index concurrently galvo_") for one in found["advice"])
    assert sum(one["bytes"] for one in found["advice"]) <= 2_000_000
    assert {"definition", "gains", "build", "writes", "verified"} <= found["advice"][0].keys()


@pytest.mark.parametrize("size", ["many", "", "-5MB", "5XB", "0", "1e9"])
def test_a_budget_that_is_no_size_is_refused(shop_dsn: str, size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["advise", shop_dsn, f"--budget={size}"])
    assert stopped.value.code == 2
    assert "is no size" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"-- nothing", b"select 'a"])
def test_a_workload_that_cannot_be_read_is_a_sentence(
    shop_dsn: str, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "workload.sql"
    if content is not None:
        path.write_bytes(content)
    assert main(["advise", shop_dsn, "--workload", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("galvo: ")
    assert error.count("\n") == 1


def test_without_a_file_and_without_pg_stat_statements_it_says_what_to_do(
    shop_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advise", shop_dsn]) == 1
    assert "create extension pg_stat_statements" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "postgresql://nobody:secret@127.0.0.1:1/x"]) == 1
    error = capsys.readouterr().err
    assert "cannot connect" in error
    assert "secret" not in error
