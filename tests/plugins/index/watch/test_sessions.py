"""What a session's statements tell of its names."""

from __future__ import annotations

import pytest

from galvo import Session
from galvo_index.watch.sessions import Sessions, effect_of


async def nothing(query: object) -> object:
    raise AssertionError


@pytest.mark.parametrize(
    "script, known",
    [
        (["select 1"], ()),
        (["SET search_path = a, b"], ("search_path = a, b",)),
        (["set session search_path to a;"], ("search_path to a",)),
        (["set role x", "set role y"], ("role y",)),
        (["set session authorization x"], ("session authorization x",)),
        (["set search_path = a", "reset search_path"], ()),
        (["set search_path = a", "set search_path to default"], ()),
        (["begin", "set local search_path = a"], ("search_path = a",)),
        (["begin", "set local search_path = a", "commit"], ()),
        (["set local search_path = a"], ()),
        (["begin", "set search_path = a", "commit"], ("search_path = a",)),
        (["set role x", "begin", "set role y", "rollback"], ("role x",)),
        (["set role x", "begin", "set local role y", "commit"], ("role x",)),
        (["begin isolation level serializable", "set transaction read only", "end"], ()),
        (["begin", "savepoint s", "rollback to s"], ()),
        (["begin", "savepoint s", "set role y", "rollback to s"], "a savepoint was rolled back after a SET"),
        (["select set_config('search_path', 'a', false)"], "the session ran what may have changed its settings"),
        (["do $$ begin end $$"], "the session ran what may have changed its settings"),
        (["call f()"], "the session ran what may have changed its settings"),
        (["discard all"], "the session ran what may have changed its settings"),
        (["reset all"], "the session has reset its settings"),
        (["set role x; select 1"], "the session ran a script"),
        (["create temp table t()"], "the session has a temporary table"),
        (["create temporary view v as select 1"], "the session has a temporary table"),
        (["create temp table t as select 1"], "the session has a temporary table"),
        (["select 1 into temp t"], "the session has a temporary table"),
        (["update t set temp = 1", "select temp from t"], ()),
        (["set role 'x"], "a statement of the session cannot be parsed"),
        (["/* why */ set role x"], "the session has a setting that cannot be repeated"),
    ],
)
def test_settings(script: list[str], known: tuple[str, ...] | str) -> None:
    sessions, session = Sessions("index"), Session(nothing)  # type: ignore[arg-type]  # it is asked nothing
    for sql in script:
        sessions.saw(session, sql)
    assert sessions.settings(session) == known
    assert sessions.settings(None) == ()


def test_long_texts_are_not_kept() -> None:
    sessions, session = Sessions("index"), Session(nothing)  # type: ignore[arg-type]  # it is asked nothing
    sessions.saw(session, f"insert into t values ('{'x' * 9000}')")
    assert sessions.settings(session) == "the session ran a very long statement"
    assert not sessions._effects


def test_a_text_that_is_long_or_strange_is_read_quickly() -> None:
    for sql in ("\n" * 8000, "set " + "\n" * 8000, ";" * 8000, "select '" + "x" * 100_000 + "'"):
        effect_of(sql)
