"""Statements are bounded, and one however their literals are written."""

from __future__ import annotations

import random

import pytest

from galvo_index.watch import histogram
from galvo_index.watch.fingerprint import sort_of
from galvo_index.watch.statements import Statements
from galvo_index.workload import Statement


def watch(statements: Statements, sql: str, seconds: float = 0.001, args: tuple[object, ...] = ()) -> None:
    entry = statements.texts.get(sql) or statements.enter(sql)
    entry.times.append(seconds)
    if len(entry.times) >= entry.limit:
        entry.fold(args)


def settle(statements: Statements) -> None:
    while statements.merge():
        pass


def test_texts_that_differ_in_literals_are_one_statement() -> None:
    statements = Statements(100, 8, 1 << 20)
    for number in range(90):
        watch(statements, f"select * from t where id = {number}")
    watch(statements, "select * from other")
    settle(statements)
    assert sorted(entry.calls for entry in statements.all()) == [1, 90]
    watch(statements, "select * from t where id = 7")
    assert sorted(entry.calls for entry in statements.all()) == [1, 91]


def test_a_flood_of_statements_is_bounded_and_every_call_counted() -> None:
    statements = Statements(20, 8, 1 << 20)
    for number in range(3000):
        watch(statements, f"select c{number} from t", 0.001 if number != 77 else 5.0)
        if number % 10 == 0:
            statements.merge()
    settle(statements)
    found = [*statements.all()]
    assert len(found) <= 20
    assert max(entry.total for entry in found) == 5.0, "what takes most time stays"
    statements.others.fold()
    assert sum(entry.calls for entry in found) + statements.others.calls == 3000
    assert len(statements.texts) <= 80
    assert statements.dropped


def test_a_flood_of_literals_leaves_its_statement() -> None:
    statements = Statements(20, 8, 1 << 20)
    for number in range(3000):
        watch(statements, f"select * from t where id = {number}")
        statements.merge()
    watch(statements, "select 1 " + " " * 10_000)
    settle(statements)
    assert [entry.calls for entry in statements.all()] == [3000]
    assert len(statements.texts) <= 80
    statements.others.fold()
    assert statements.others.calls == 1, "a very long text is not kept"


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_percentiles_are_within_a_tenth(share: float) -> None:
    times = sorted(random.Random(7).lognormvariate(-7, 1.5) for _ in range(5000))
    buckets: histogram.Buckets = {}
    for at in range(0, len(times), 50):
        histogram.add(buckets, times[at : at + 50])
    assert histogram.quantile(buckets, share) == pytest.approx(times[int(share * len(times))], rel=0.1)
    assert sum(buckets.values()) == 5000


def test_arguments_are_a_fair_sample_and_hidden() -> None:
    found = []
    for _ in range(200):
        statements = Statements(100, 8, 1 << 20)
        for number in range(1000):
            watch(statements, "select $1", args=(number,))
        entry = statements.texts["select $1"]
        assert len(entry.arguments.kept) == 8
        found += [args[0] for args in entry.arguments.kept]
        assert repr(entry.arguments) == "<8 tuples of arguments>"
    assert 420 < sum(found) / len(found) < 580
    assert min(found) < 50
    assert max(found) > 900
    assert "secret" not in repr(Statement("select 'secret'", arguments=(("secret",),)))


def test_arguments_stay_within_their_bytes_and_what_changes_is_copied() -> None:
    statements = Statements(100, 8, 64 * 1024)
    changing = [1, 2]
    for args in ((changing,), ("x" * 100_000,), (object(),), ({"a": [b"y" * 200]},)):
        watch(statements, "select $1", args=args)
    changing.append(3)
    kept = statements.texts["select $1"].arguments.kept
    assert kept == [([1, 2],), ({"a": [b"y" * 200]},)]
    for number in range(1000):
        watch(statements, f"select {number}, $1", args=("z" * 400,))
    size = sum(len(args[0]) for entry in statements.all() for args in entry.arguments.kept)
    assert size < 64 * 1024
    statements.clear_arguments()
    assert not any(entry.arguments.kept for entry in statements.all())
    assert statements._budget.left == 64 * 1024


@pytest.mark.parametrize(
    "sql, kind",
    [
        ("select 1", "read"),
        (" -- a comment; select\n /* and ; another */ ((select 1) union select 2);  ", "other"),
        ("/* trace */ Select 1;", "read"),
        ("with a as (select 1) select * from a", "read"),
        ("with a as (delete from t returning *) select * from a", "write"),
        ("insert into t values (1)", "write"),
        ("MERGE into t using u on true when matched then delete", "write"),
        ("select 1; select 2", "other"),
        ("begin", "other"),
        ("create table t as select 1", "other"),
        ("", "other"),
        ("values (1)", "read"),
        ("/**/" * 2000 + "1", "other"),
        ("(" * 8000, "other"),
    ],
)
def test_what_kind_a_statement_is(sql: str, kind: str) -> None:
    assert sort_of(sql) == kind
