"""Long statements without the length touch what the whole does."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError, parse_sql, scan

from galvo_cache import folding
from galvo_cache.analysis import analyse
from galvo_cache.catalog import Catalog
from galvo_cache.effects import Control, Effect, Everything, Write
from galvo_cache.folding import folded
from galvo_cache.tree import collect
from galvo_sql import strings
from tests.plugins.cache import test_analysis, test_analysis_controls
from tests.plugins.cache.catalogs import catalog_of
from tests.thorough import examples

catalog = catalog_of("oracle_schema.sql")

FOLDED = [
    (
        "insert into t values (1, 'a'), (2, 'b'), (3, 'c') returning id",
        "insert into t values (1,1),(1,1),(1,1) returning id",
    ),
    ("values (0), (-1), (1.5e-07), (.5), (null), (E'\\''), ($3) -- (1)", "values (1),(1),(1),(1) "),
    ("values (0, now()), (1, now()), (2, loud()), (3, now())", "values (1,now()),(1,now()),(1,loud()),(1,now())"),
    (
        "select 1 where $1 in ($2::INTEGER, $3::NUMERIC(10, 2), $4::INTEGER, $5::TIMESTAMP WITHOUT TIME ZONE)",
        "select 1 where $1 in (1::INTEGER,1::NUMERIC(1,1),1::TIMESTAMP WITHOUT TIME ZONE)",
    ),
    ("f('a'::\"M, x\", 'b'::\"M, x\", 'c'::\"m, x\")", 'f(1::"M, x",1::"m, x")'),
    ("f(nullif($1, ''), nullif($2, ''), timestamp '1', timestamp '2', 3)", "f(nullif(1,1),timestamp '',1)"),
    ("f(-1::int, -2::int, -3)", "f(-1::int,-1::int,1)"),
    ("select a, b from a, b, a, c", "select a,b from a,b,a,c"),
    ("select 'it''s', 'x', a1, 1a, \"1\"", "select '',1,a1,1a,\"1\""),
    (
        "insert into t values (1); insert into t values (2);insert into t values (3)",
        "insert into t values (1);insert into t values (1)",
    ),
    ("select 1/**/+ 1--x\n, e'a\\'b', 'a\\', U&'\\0061' from b", "select 1 + 1,1,1,U&'' from b"),
    ("truncate ٣,\u00a05, fal\u017fe, 1é, 2é", "truncate ٣,\u00a05,fal\u017fe,1é,2é"),
]  # fmt: skip
UNCLEAR = [
    "select E'a'\n'b\\', (1), (2)'",
    "select E'a' -- b\n'c\\', (1), (2)'",
    "select 1e'\\', (1), (2)'",
    "select $$(1), (2)$$",
    "select $a$(1), (2)$a$",
    "select $€$(1), (2)$€$",
    "select $٣$(1), (2)$٣$",
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


_CONSTANTS = {
    "ICONST", "FCONST", "SCONST", "BCONST", "XCONST", "USCONST", "PARAM", "SQL_COMMENT", "C_COMMENT", "NULL_P",
    "TRUE_P", "FALSE_P", "DEFAULT",
}  # fmt: skip
# What begins, ends or may hide a literal, and what may be one to Python only.
BITS = [
    "'", "''", "'a'", "e'", "E'", "e", "U&'", "n'", "\\", "\\'", "--", "/*", "*/", "*", "/", "$", "$$", "$a$", "$€$",
    "$1", '"', '""', '"a"', '"x0"', "€", "٣", "\u00a0", "fal\u017fe", "false", "null", "_", "x", "a",
    "f()", "f(1),f(2)", "1", "2", "1.5", ".5", ".", "1e5", "1e", "-", "+", "::int", "::", ";", "(", ")", "[", "]",
    "(1,2)", ",", ",", ", ", ",1,2", " ", "\n", "\r",
]  # fmt: skip


def _words(sql: str) -> set[str]:
    return {sql[token.start : token.end + 1] for token in scan(sql) if token.name not in _CONSTANTS} - {"-"}


@given(st.lists(st.sampled_from(BITS), max_size=24).map("".join))
@settings(max_examples=examples(3000), deadline=None)
def test_it_reads_what_the_scanner_reads(text: str) -> None:
    for sql in (text, f"1,2,{text},1,2)"):
        if (short := folded(sql)) is not None:
            with contextlib.suppress(ParseError):  # then nothing runs
                assert _words(sql) == _words(short)


_VALUES = st.sampled_from([
    "1", "-2", "2.5e-3", ".5", "'a'", "'it''s \\'", "E'\\''", "null", "true", "$1", "$2::int", "'a'::\"T, x\"",
    "-1::int8", "now()", "loud()", "nullif($1, 2)", "date '1'", "cast('1' as other.t)", "array[1, 2, 3]", "(1, 2)",
    "a", "b.c", "1 + 2", "(select a from lone)", "(select 1, loud() from customer, lone, customer)", "f(1, g(2, h(3)))",
    "- 1", "1 @ 1", "x.y(1)", "('a', now())", "$1.a", "case when 1 in (1, 2) then 3 end", "-- (1), '\n1", "/* , */ 1",
])  # fmt: skip
_SHAPES = st.sampled_from(
    [
        "insert into lone values ({}), ({}), ({}) returning {}",
        "select {} from lone where ({}) in ({}, {}), lone, customer",
        "select {} from f({}), lone, f({}), lone, customer where a in ({})",
        "delete from lone where a in ({}) or b = any(array[{}, {}, {}])",
        "update lone set a = {}, b = ({}) from (values ({}), ({})) as v",
        "with x as (select {}) select {}, {}; delete from lone where a = {}",
        "select {} union select {}, {} union select {}, {}",
        "insert into lone select {} from (values ({}), ({})) as v(x), lone where f({})",
    ]
)
_LISTS = st.lists(_VALUES, min_size=1, max_size=6).map(", ".join)


@given(_SHAPES, st.lists(_LISTS, min_size=5, max_size=5))
@settings(max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_names_what_the_statement_names(catalog: Catalog, shape: str, lists: list[str]) -> None:
    sql = shape.format(*lists)
    try:
        names = _names(sql)
    except ParseError:
        return
    short = folded(sql)
    assert short is not None
    with contextlib.suppress(ParseError):
        assert _names(short) == names
    changes = _changes(analyse(short, catalog))
    assert changes == _changes(analyse(sql, catalog)) or changes == ("anything", True)
