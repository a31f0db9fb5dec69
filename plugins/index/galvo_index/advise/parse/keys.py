"""Which expressions can be keys of an index, and what constants are."""

from __future__ import annotations

from typing import Any

from pglast import ast
from pglast.stream import RawStream

from galvo_index.advise.parse.scope import Scope, plain
from galvo_index.advise.parse.use import Key, Use
from galvo_sql import strings, walk

_EXPRESSIONS = (ast.FuncCall, ast.TypeCast, ast.A_Expr, ast.CoalesceExpr)
_UNFIT = (ast.SubLink, ast.ParamRef, ast.A_Star, ast.SQLValueFunction, ast.SetToDefault)


def key(node: Any, scope: Scope) -> tuple[Use, Key] | None:
    """A column, or an expression over columns of a single table."""
    if isinstance(node, ast.ColumnRef):
        place = scope.resolve(strings(node.fields))
        return (place[0], plain(place)) if place else None
    if not isinstance(node, _EXPRESSIONS):
        return None
    columns: list[ast.ColumnRef] = []
    for part in walk(node):
        if isinstance(part, _UNFIT) or (isinstance(part, ast.FuncCall) and (part.over or part.agg_star)):
            return None
        if isinstance(part, ast.ColumnRef):
            columns.append(part)
    places = [scope.resolve(strings(one.fields)) for one in columns]
    found = [place for place in places if place]
    if not found or len(found) < len(places) or len({id(use) for use, _ in found}) > 1:
        return None
    text = bare(node, scope)
    return (found[0][0], Key(f"({text})", tuple(dict.fromkeys(name for _, name in found)), False)) if text else None


def bare(node: Any, scope: Scope) -> str:
    """The text of an expression with columns that are not qualified, as in CREATE INDEX; empty: not printable."""
    before: list[tuple[ast.ColumnRef, Any]] = []
    try:
        for part in walk(node):
            if isinstance(part, ast.ColumnRef):
                place = scope.resolve(strings(part.fields))
                if not place:
                    return ""
                before.append((part, part.fields))
                part.fields = (ast.String(sval=place[1]),)
        return str(RawStream()(node))
    except (NotImplementedError, AttributeError, TypeError):
        return ""
    finally:
        for part, fields in before:
            part.fields = fields


def constant(node: Any) -> tuple[str | None, int] | None:
    """(literal or None, argument or 0) of what does not depend on a row; None: it may."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    if isinstance(node, ast.A_Const):
        return literal(node), 0
    if isinstance(node, ast.ParamRef):
        return None, node.number or 0
    if any(isinstance(part, ast.ColumnRef | ast.SubLink) for part in walk(node)):
        return None
    return None, 0


def literal(node: ast.A_Const) -> str | None:
    value = node.val
    if isinstance(value, ast.String):
        return value.sval
    if isinstance(value, ast.Integer):
        return str(value.ival or 0)
    if isinstance(value, ast.Float):
        return value.fval
    if isinstance(value, ast.Boolean):
        return "t" if value.boolval else "f"
    return None
