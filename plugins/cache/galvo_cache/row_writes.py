"""Which rows of its target an INSERT, UPDATE or DELETE changes."""

from __future__ import annotations

from typing import TypeGuard

from pglast import ast
from pglast.enums import OnConflictAction, OverridingKind, SetOperation

from galvo_cache.catalog import Catalog, Relation
from galvo_cache.effects import Change, Source
from galvo_cache.joins import Column, Joins, Unclear, is_ordinary, runs_user_code
from galvo_cache.pins import Exact, equalities, spread
from galvo_cache.tree import collect

VARCHAR = 1043

Fixed = tuple[tuple[str, Source], ...]


def changes(statement: ast.Node, catalog: Catalog) -> tuple[Change, ...]:
    """What the statement changes in its target, or nothing if that is not understood.

    It is the caller's part to know that neither triggers nor the actions of foreign keys lead back to the target.
    """
    if not isinstance(statement, ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt):
        return ()
    target = statement.relation
    relation = catalog.resolve(target.schemaname, target.relname or "") if target else None
    facts = collect(statement)
    if relation is None or not is_ordinary(relation) or len(facts.targets) != 1 or runs_user_code(facts, catalog):
        return ()
    exact = Exact(statement, catalog)
    if isinstance(statement, ast.InsertStmt):
        return _insert(statement, relation, exact)
    others = statement.fromClause if isinstance(statement, ast.UpdateStmt) else statement.usingClause
    try:
        joins = Joins((target, *(others or ())), statement.whereClause, catalog, facts.ctes)
    except Unclear:
        return ()
    if isinstance(statement, ast.UpdateStmt):
        columns = _assigned(statement, relation, exact)
        fixed = _pinned(joins, relation, exact)
        return (Change(relation.oid, "update", tuple(pin for pin in fixed if pin[0] not in columns), columns),)
    return (Change(relation.oid, "delete", _pinned(joins, relation, exact)),)


def _pinned(joins: Joins, relation: Relation, exact: Exact) -> Fixed:
    """The lanes that are pinned in every affected row; the target is the first of the items."""
    known: dict[Column, Source] = {}
    spread(known, equalities(joins, exact))
    return tuple((name, known[column]) for name in relation.lanes if (column := Column(0, name)) in known)


def _assigned(statement: ast.UpdateStmt, relation: Relation, exact: Exact) -> frozenset[str]:
    """The columns that an UPDATE may change."""
    names = set()
    for target in statement.targetList or ():
        name = target.name or ""
        names.add(name)
        if not target.indirection:
            exact.value(target.val, exact.kind(relation, name))  # a use of a parameter, and an exact one
    return frozenset(names) | relation.generated


def _insert(statement: ast.InsertStmt, relation: Relation, exact: Exact) -> tuple[Change, ...]:
    conflict = statement.onConflictClause
    if conflict is not None and conflict.action != OnConflictAction.ONCONFLICT_NOTHING:
        return ()
    if not _is_values(statement.selectStmt) or statement.override != OverridingKind.OVERRIDING_NOT_SET:
        return (Change(relation.oid, "insert", ()),)
    names: list[str | None] = list(relation.columns)
    if statement.cols:
        names = [None if column.indirection else column.name for column in statement.cols]
    rows = [
        {name: exact.value(node, exact.kind(relation, name)) for name, node in zip(names, row, strict=False) if name}
        for row in statement.selectStmt.valuesLists or ()
    ]
    fixed = []
    for name in relation.lanes:
        sources = {row.get(name) for row in rows}
        source = sources.pop() if len(sources) == 1 else None
        if source is not None and exact.holds(source) and relation.columns[name] != VARCHAR:  # which may cut blanks
            fixed.append((name, source))
    return (Change(relation.oid, "insert", tuple(fixed)),)


def _is_values(select: ast.Node | None) -> TypeGuard[ast.SelectStmt]:
    """Whether rows are given one by one, each value assigned to its column; sorted rows have types of their own."""
    return (
        isinstance(select, ast.SelectStmt)
        and bool(select.valuesLists)
        and select.op == SetOperation.SETOP_NONE
        and not (select.sortClause or select.limitCount or select.limitOffset or select.withClause)
    )
