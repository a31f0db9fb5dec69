"""Which rows a statement is said to read or to change, shape by shape, against the catalog of a real server."""

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from pglast import ast
from pglast.parser import parse_sql

from galvo_cache import rows, writes
from galvo_cache.analysis import Read, Write, analyse
from galvo_cache.catalog import Catalog
from galvo_cache.effects import Change, Const, Output, Param, Shown, Slice, Source
from galvo_cache.tree import collect
from tests.plugins.cache.catalogs import catalog_of
from tests.plugins.cache.mutants import LISTED, mutate
from tests.plugins.cache.rows_expected import READS, REFUSED, WRITES
from tests.plugins.cache.shown_expected import SHOWN

SCHEMA = Path(__file__).with_name("rows_schema.sql")
catalog = catalog_of(SCHEMA.name)


def shown(source: Source) -> str:
    match source:
        case Param(index):
            return f"${index + 1}"
        case Const(value):
            return repr(value)
        case Output(column):
            return f"#{column}"


def described(parts: tuple[Slice, ...], proves: bool, catalog: Catalog) -> str:
    words = []
    for part in parts:
        relation = catalog.relation(part.table)
        assert relation is not None
        words.append(f"{relation.name}.{part.column}={shown(part.source)}{'!' * part.unique}")
    return " ".join([*words, *["proves"] * proves])


def exposed(parts: tuple[Shown, ...], catalog: Catalog) -> str:
    words = []
    for part in parts:
        relation = catalog.relation(part.table)
        assert relation is not None
        words.append(f"{relation.name}({part.key}={shown(part.source)})")
        words += [f"{name}={shown(source)}" for name, source in part.lanes]
    return " ".join(words)


def told(change: Change, catalog: Catalog) -> str:
    relation = catalog.relation(change.table)
    assert relation is not None
    words = [f"{change.verb} {relation.name}:", *(f"{name}={shown(source)}" for name, source in change.fixed)]
    if change.columns is not None:
        order = list(relation.columns)
        words += ["/", *sorted(change.columns, key=order.index)]
    return " ".join(words)


def parsed(sql: str, catalog: Catalog) -> tuple[ast.SelectStmt, set[int]]:
    """The statement and its tables."""
    statement = parse_sql(sql)[0].stmt
    assert isinstance(statement, ast.SelectStmt)
    return statement, {found.oid for name in collect(statement).relations if (found := catalog.resolve(*name))}


def read_slices(sql: str, catalog: Catalog) -> tuple[tuple[Slice, ...], bool]:
    statement, tables = parsed(sql, catalog)
    return rows.slices(statement, catalog, tables)


def wrong_reads(catalog: Catalog) -> Iterator[str]:
    for sql, expected in READS.items():
        found = described(*read_slices(sql, catalog), catalog)
        if found != expected:
            yield f"{sql}: {found!r}, not {expected!r}"


def wrong_shown(catalog: Catalog) -> Iterator[str]:
    for sql, expected in SHOWN.items():
        statement, tables = parsed(sql, catalog)
        found = exposed(rows.shown(statement, catalog, tables), catalog)
        if found != expected:
            yield f"{sql}: {found!r}, not {expected!r}"


def wrong_writes(catalog: Catalog) -> Iterator[str]:
    for sql, expected in WRITES.items():
        found = " and ".join(told(change, catalog) for change in writes.changes(parse_sql(sql)[0].stmt, catalog))
        if found != (expected or ""):
            yield f"{sql}: {found!r}, not {expected!r}"


def test_rows_that_reads_depend_on(catalog: Catalog) -> None:
    assert not list(wrong_reads(catalog))


def test_rows_that_answers_show(catalog: Catalog) -> None:
    assert not list(wrong_shown(catalog))


def test_rows_that_writes_change(catalog: Catalog) -> None:
    assert not list(wrong_writes(catalog))


def test_reads_of_the_analysis_carry_their_slices(catalog: Catalog) -> None:
    for sql in READS:
        effect = analyse(sql, catalog)
        if isinstance(effect, Read):
            assert (effect.slices, effect.proves) == read_slices(sql, catalog), sql
        else:
            assert not read_slices(sql, catalog)[0], sql


async def _refused(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(SCHEMA.read_text())
        found = set()
        for sql in [*READS, *SHOWN, *WRITES]:
            try:
                await connection.prepare(sql)
            except asyncpg.PostgresError:
                found.add(sql)
        return found
    finally:
        await connection.close()


def test_the_texts_mean_something(dsn: str) -> None:
    assert asyncio.run(_refused(dsn)) == REFUSED


def test_the_analysis_carries_them(catalog: Catalog) -> None:
    read = analyse("select * from part where id = $1", catalog)
    assert isinstance(read, Read)
    assert described(read.slices, read.proves, catalog) == "part.id=$1! proves"
    write = analyse("update tag set label = 'x' where id = $1", catalog)
    assert isinstance(write, Write)
    assert [told(change, catalog) for change in write.changes] == ["update tag: id=$1 / label"]


def test_tables_that_the_text_does_not_mention_make_it_unclear(catalog: Catalog) -> None:
    """A policy or a declared function reads more than the text says."""
    statement = parse_sql("select * from part where id = $1")[0].stmt
    assert isinstance(statement, ast.SelectStmt)
    part, project = catalog.resolve(None, "part"), catalog.resolve(None, "project")
    assert part is not None
    assert project is not None
    assert rows.slices(statement, catalog, {part.oid})[0]
    assert rows.slices(statement, catalog, {part.oid, project.oid}) == ((), False)


def test_other_encodings_know_several_characters_by_one_code(catalog: Catalog) -> None:
    other = copy.copy(catalog)
    other.encoding = "EUC_JP"
    for sql, expected in (("tag where label = 'x'", False), ("tag where serial = 1", True)):
        effect = analyse(f"select * from {sql}", other)
        assert isinstance(effect, Read)
        assert bool(effect.slices) == expected


@pytest.mark.parametrize("name", LISTED)
def test_the_tables_find_a_broken_rule(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mutate(monkeypatch, *LISTED[name])
    assert [*wrong_reads(catalog), *wrong_shown(catalog), *wrong_writes(catalog)]


def test_deep_joins_are_left_alone(catalog: Catalog) -> None:
    text = "part a" + "".join(f" join project p{n} on true" for n in range(2_000))
    assert not getattr(analyse(f"select * from {text} where a.id = $1", catalog), "slices", ())
    deep = "(" * 500 + "id = $1" + " and true)" * 500
    read = analyse(f"select * from part where {deep}", catalog)
    assert isinstance(read, Read)
    assert read.slices
