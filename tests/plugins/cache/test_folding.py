"""Long statements without the length touch what the whole does."""

from __future__ import annotations

import contextlib

import pytest
from pglast.parser import ParseError, parse_sql

from galvo_cache import folding
from galvo_cache.analysis import analyse
from galvo_cache.catalog import Catalog
from galvo_cache.effects import Control, Effect, Everything, Write
from galvo_cache.folding import folded
from galvo_cache.tree import collect
from galvo_sql import strings
from tests.plugins.cache import test_analysis, test_analysis_controls
from tests.plugins.cache.catalogs import catalog_of

catalog = catalog_of("oracle_schema.sql")

FOLDED = [
    ("insert into t values (1, 'a'), (2, 'b'), (3, 'c') returning id", "insert into t values (1, '') returning id"),
    ("insert into t values ($1::int, $2), ($3::int, $4)", "insert into t values ($1::int, $2), (null::int)"),
    (
        "select 1 where $1 in ($2::INTEGER, $3::NUMERIC(10, 2), $4::TIMESTAMP WITHOUT TIME ZONE, $5::a.b[], $6)",
        "select 1 where $1 in ($2::INTEGER, null::INTEGER, null::NUMERIC(10, 2), "
        "null::TIMESTAMP WITHOUT TIME ZONE, null::a.b[])",
    ),
    ("values (now(), 1, 2), (loud(), 1, 2)", "values (now(), 1), (loud(), 1)"),
    ("select 'it''s', 'x', a", "select '', a"),
    ("select 1, 2 + b, 3 c", "select 1, 2 + b, 3 c"),
    ("select a1, 2, 3) from", "select a1, 2) from"),
    ("f(1, 2::text, 3::numeric(1, 2), null_, true)", "f(1, null::text, null::numeric(1, 2), null_, true)"),
    ('select "(1), (2)", "1, 2" /* (1), (2) \' */', 'select "(1), (2)", "1, 2" /* (1), (2) \' */'),
    ("select $1.a, $2.b, 1.5, -2)", "select $1.a, $2.b, 1.5)"),
    ("select date '1', '2', '3')", "select date '')"),
]  # fmt: skip
UNCLEAR = [
    "select count--(1),\n(1) from a; delete from b",
    "select E'a\\'', '(1), (2)'",
    "select $$(1), (2)$$",
    "select $a$(1), (2)$a$",
    "select 'never ends, (1), (2)",
    'select "never ends, (1), (2)',
    "select /* /* nested */ (1), (2) */ 1",
    "select /* never ends (1), (2)",
]


@pytest.mark.parametrize("sql, short", FOLDED)
def test_lists_of_constants_are_folded(sql: str, short: str) -> None:
    assert folded(sql) == short


@pytest.mark.parametrize("sql", UNCLEAR)
def test_not_where_literals_may_end_elsewhere(sql: str) -> None:
    assert folded(sql) is None


def test_not_what_stays_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert folded("select " + "a," * 5000 + "a") is None
    monkeypatch.setattr(folding, "LONGEST", 20)
    assert folded("select 1, 1, 1, 1, 1, 1)") is None


def _changes(effect: Effect) -> object:
    match effect:
        case Write(tables):
            return tables
        case Everything(_, ddl):
            return "anything", ddl
        case Control(kind, chain, settings):
            return kind, chain, bool(settings)
    return frozenset()


def _names(sql: str) -> set[object]:
    found: set[object] = set()
    for raw in parse_sql(sql):
        facts = collect(raw.stmt)
        found |= {*facts.relations, *facts.operators, *facts.fields, *facts.columns, *facts.targets}
        found |= {call.name for call in facts.calls} | {tuple(strings(kind.names)) for kind in facts.types}
    return found


LISTS = {
    "reads": test_analysis.READS, "refused": test_analysis.REFUSED, "writes": test_analysis.WRITES,
    "everything": test_analysis.EVERYTHING, "ddl": test_analysis.DDL, "controls": test_analysis_controls.CONTROL,
    "settings": test_analysis_controls.SETTINGS,
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_what_is_folded_changes_the_same(catalog: Catalog, name: str) -> None:
    """Or everything."""
    anything, seen = ("anything", True), 0
    for text in LISTS[name]:
        for sql in (text, f"{text}; values (1), (2), ($1::int)"):
            short = folded(sql)
            if short is None or "\ud800" in sql:  # which is not sent
                continue
            seen += 1
            assert _changes(analyse(short, catalog)) in (_changes(analyse(sql, catalog)), anything), short
            with contextlib.suppress(ParseError):
                assert _names(short) == _names(sql)
    assert seen > len(LISTS[name])
