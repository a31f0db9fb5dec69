"""Workloads from a file of SQL and from pg_stat_statements."""

from __future__ import annotations

import asyncpg
import pytest

from galvo import GalvoError
from galvo_index.advise import consult
from galvo_index.workload import Statement, file, stat_statements
from tests.conftest import execute
from tests.plugins.index.advise.shop import keys

pytestmark = pytest.mark.anyio


def test_a_file_is_split_where_its_statements_end() -> None:
    text = "\ufeffselect ';é' from \"a;b\"; /* ; */ -- ;\n;;\nselect $q$;$q$\n; select 3"
    found = file.read(text)
    assert [one.sql for one in found.statements] == ["select ';é' from \"a;b\"", "select $q$;$q$", "select 3"]
    assert found.skipped == []


def test_comments_before_a_statement_weigh_it_and_repetitions_add_up() -> None:
    text = "select 0;\n-- calls: 120, seconds: 3.5\nselect 1;\nselect 2; select 2;\n/* Calls=7 */ select 2;"
    assert file.read(text).statements == [
        Statement("select 0"),
        Statement("select 1", calls=120, seconds=3.5),
        Statement("select 2", calls=9),
    ]


def test_what_does_not_parse_is_named_by_its_line_and_the_rest_is_read() -> None:
    found = file.read("select 1;\nselec 2;\n\\timing on\nselect 3;")
    assert [one.sql for one in found.statements] == ["select 1", "select 3"]
    [(line, reason)] = found.skipped
    assert line == 2
    assert "syntax error" in reason


@pytest.mark.parametrize("text", ["select 1;\nselect 'a", 'select "a', "select 1; /* a", "select $q$ a"])
def test_a_quote_that_is_never_closed_is_a_sentence(text: str) -> None:
    with pytest.raises(GalvoError, match="cannot be read from line"):
        file.read(text)


def test_what_the_parser_may_die_of_is_not_parsed() -> None:
    found = file.read("select 1;\nselect 1" + "+1" * 60_000)
    assert [one.sql for one in found.statements] == ["select 1"]
    assert found.skipped == [(2, "it is too long to be parsed")]


def test_an_empty_file_has_no_statements() -> None:
    assert file.read(" -- nothing\n;;").statements == []


async def test_pg_stat_statements_knows_what_ran_without_its_literals(debian_dsn: str) -> None:
    connection = await asyncpg.connect(debian_dsn)
    try:
        await execute(debian_dsn, 'create schema "S x"; create extension pg_stat_statements schema "S x"')
        rows = "select i as id, i % 2000 as a, date '2020-01-01' + i % 999 as d, repeat('x', 60) as note"
        await connection.execute(f"create table t as {rows} from generate_series(1, 20000) i; analyze t")
        for number in range(3):
            await connection.fetch(f"select note from t where a = {number}")
            await connection.fetch(f"select note from t where d = date '2020-01-0{number + 1}'")
        statements = await stat_statements.read(connection)
        [by_number] = [one for one in statements if "a = $" in one.sql]
        assert by_number.calls == 3
        assert by_number.seconds > 0
        assert by_number.rows == 30
        report = await consult(connection, statements)
        assert {key.split(" include")[0] for key in keys(report.advice)} == {"t (a)", "t (d)"}
    finally:
        await connection.close()


async def test_without_the_extension_it_says_what_to_do(debian_dsn: str) -> None:
    connection = await asyncpg.connect(debian_dsn)
    try:
        with pytest.raises(GalvoError, match="create extension pg_stat_statements"):
            await stat_statements.read(connection)
    finally:
        await connection.close()
