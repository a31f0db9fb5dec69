"""Of which rows a SELECT depends: for each table at most one column and its value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from pglast import ast

from galvo_cache.catalog import Catalog
from galvo_cache.effects import Output, Slice, Source
from galvo_cache.joins import Column, Joins, Unclear, is_ordinary, runs_user_code
from galvo_cache.pins import Equality, Exact, equalities, spread, spread_outputs
from galvo_cache.tree import collect
from galvo_sql import walk


def slices(statement: ast.SelectStmt, catalog: Catalog, tables: Collection[int]) -> tuple[tuple[Slice, ...], bool]:
    """The slices of a cacheable SELECT of `tables`, and whether its answer proves that their rows exist.

    Of a unique column there is a slice only if rows in the answer prove that its row exists.
    """
    understood = understand(statement, catalog, tables)
    if understood is None:
        return (), False
    joins, found, mentions = understood
    known: dict[Column, Source] = {}
    spread(known, found)
    once = {oid for oid, count in mentions.items() if count == 1}
    if shows_rows(statement):
        chosen = _choose_outputs(joins, known, found, once, outputs(statement, joins))
        return tuple(chosen.values()), bool(chosen)
    return tuple(_choose(joins, known, once, proves=False).values()), False


class Understood(NamedTuple):
    """The FROM clause of a SELECT that reads ordinary tables and nothing else."""

    joins: Joins
    equalities: list[Equality]
    mentions: Counter[int]
    """How often each table is mentioned."""


def understand(statement: ast.SelectStmt, catalog: Catalog, tables: Collection[int]) -> Understood | None:
    """None if the statement, which reads `tables`, is of a kind that is not followed."""
    mentions = _mentions(statement, catalog)
    facts = collect(statement)
    # Views, policies and functions may read a table a second time.
    if mentions is None or set(mentions) != set(tables) or runs_user_code(facts, catalog):
        return None
    try:  # of a UNION, it has no items
        joins = Joins(statement.fromClause or (), statement.whereClause, catalog, facts.ctes)
    except Unclear:
        return None
    return Understood(joins, equalities(joins, Exact(statement, catalog)), mentions)


def _choose_outputs(
    joins: Joins, known: dict[Column, Source], found: list[Equality], once: set[int], shown: dict[Column, int]
) -> dict[int, Slice]:
    """Choose; let the rows of keys pin more; choose again, until nothing new is pinned."""
    while True:
        chosen = _choose(joins, known, once, proves=True)
        before = len(known)
        spread_outputs(known, found, {number for number, part in chosen.items() if part.unique}, shown)
        if len(known) == before:
            return chosen


def _choose(joins: Joins, known: dict[Column, Source], once: set[int], proves: bool) -> dict[int, Slice]:
    """The best slice of each item: of a key, or else of a value known before the read."""
    chosen = {}
    for number, item in enumerate(joins.items):
        if item.relation is None or item.relation.oid not in once:
            continue
        parts = [
            Slice(item.relation.oid, name, known[column], unique)
            for name, unique in item.relation.lanes.items()
            if (column := Column(number, name)) in known and (not unique or (proves and item.present))
        ]
        if parts:
            chosen[number] = max(parts, key=lambda part: (part.unique, not isinstance(part.source, Output)))
    return chosen


def outputs(statement: ast.SelectStmt, joins: Joins) -> dict[Column, int]:
    """Where in the answer bare columns stand."""
    found: dict[Column, int] = {}
    position = 0
    for target in statement.targetList or ():
        columns = joins.expand(target.val)
        if columns is None:
            break
        for offset, column in enumerate(columns):
            if column is not None:
                found.setdefault(column, position + offset)
        position += len(columns)
    return found


def shows_rows(statement: ast.SelectStmt) -> bool:
    """Whether every row of the answer comes from a row of the join: an aggregate without groups has one of its own."""
    if statement.groupClause:
        return not any(isinstance(node, ast.GroupingSet) for node in walk(statement.groupClause))
    clauses = (statement.targetList, statement.sortClause, statement.distinctClause, statement.windowClause)
    limits = (statement.limitCount, statement.limitOffset)
    return not statement.havingClause and not any(isinstance(node, ast.FuncCall) for node in walk(clauses, limits))


def _mentions(statement: ast.Node, catalog: Catalog) -> Counter[int] | None:
    """How often each table is mentioned; None if anything but ordinary tables is."""
    mentions: Counter[int] = Counter()
    for node in walk(statement):
        if isinstance(node, ast.RangeVar):
            # The name of a common table expression counts for the table, too: outside its scope it is the table's.
            relation = catalog.resolve(node.schemaname, node.relname or "")
            if relation is not None:
                if not is_ordinary(relation):
                    return None
                mentions[relation.oid] += 1
    return mentions
