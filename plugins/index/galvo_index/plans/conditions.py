"""What a plan's condition compares: read with PostgreSQL's own parser from the text that EXPLAIN gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind, BoolExprType
from pglast.parser import ParseError
from pglast.stream import RawStream
from pglast.visitors import Visitor

Way = Literal["bare", "cast", "function", "expression"]
"""How a column is used: by itself, cast, as the argument of a function, or in some other expression."""
FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


is_a: Callable[[Any, Any], bool] = isinstance
"""Without narrowing: pglast's types say of every field that it may be None."""


class Comparison(msgspec.Struct, frozen=True):
    """`column operator value`, or with the column inside an expression."""

    alias: str
    """Of the table; "" when the condition does not say."""
    column: str
    way: Way
    operator: str
    """"=", "<", "~~" for LIKE, "~~*" for ILIKE, "is null", ... ; "true" for a boolean column by itself."""
    side: str
    """The side with the column, as SQL."""
    function: str = ""
    """Its name, or the type of the cast."""
    pattern: str | None = None
    """The value of a LIKE, when it is known: not to be shown."""
    other: tuple[str, ...] = ()
    """Aliases of the tables on the other side."""


class Condition(msgspec.Struct, frozen=True):
    """Part of an AND: one comparison, or several with OR; neither when it is something else."""

    comparison: Comparison | None = None
    arms: tuple[tuple[Condition, ...], ...] = ()


def conditions(text: str) -> tuple[Condition, ...]:
    """The parts of an AND; empty when the text cannot be read (it names a subplan, for example)."""
    if not text or len(text) > 10_000:
        return ()
    try:
        statement: Any = parse_sql(f"select {text}")[0].stmt
        target = statement.targetList[0].val
    except (ParseError, ValueError, AttributeError, IndexError):
        return ()
    return tuple(_parts(target))


def comparisons(text: str) -> list[Comparison]:
    """Those that must all hold."""
    return [part.comparison for part in conditions(text) if part.comparison is not None]


def _parts(node: Any) -> Iterator[Condition]:
    if is_a(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        for arg in node.args:
            yield from _parts(arg)
    elif is_a(node, ast.BoolExpr) and node.boolop == BoolExprType.OR_EXPR:
        yield Condition(arms=tuple(tuple(_parts(arg)) for arg in node.args))
    else:
        yield Condition(_comparison(node))


def _comparison(node: Any) -> Comparison | None:
    if is_a(node, ast.NullTest):
        return _sided(node.arg, "is null" if node.nulltesttype == 0 else "is not null", None)
    if is_a(node, ast.ColumnRef):
        return _sided(node, "true", None)
    if is_a(node, ast.BoolExpr) and is_a(node.args[0], ast.ColumnRef):
        return _sided(node.args[0], "true", None)
    plain = (A_Expr_Kind.AEXPR_OP, A_Expr_Kind.AEXPR_OP_ANY, A_Expr_Kind.AEXPR_LIKE, A_Expr_Kind.AEXPR_ILIKE)
    if not is_a(node, ast.A_Expr) or node.kind not in plain or node.lexpr is None:
        return None
    operator = node.name[-1].sval
    left, right = _columns(node.lexpr), _columns(node.rexpr)
    if len(left) == 1:
        return _sided(node.lexpr, operator, node.rexpr)
    if len(right) == 1 and not left and node.kind == A_Expr_Kind.AEXPR_OP:
        return _sided(node.rexpr, FLIPPED.get(operator, operator), node.lexpr)
    return None


def _sided(side: Any, operator: str, other: Any) -> Comparison | None:
    names = _columns(side)
    if len(names) != 1:
        return None
    alias, column = names[0]
    way, function = _way(side)
    constant = _constant(other)
    return Comparison(
        alias, column, way, operator, RawStream()(side), function,
        constant if operator in ("~~", "~~*") else None,
        tuple(sorted({alias for alias, _ in _columns(other)})),
    )  # fmt: skip


def _way(side: Any) -> tuple[Way, str]:
    if is_a(side, ast.ColumnRef):
        return "bare", ""
    if is_a(side, ast.TypeCast):
        inner, _ = _way(side.arg)
        return ("cast" if inner == "bare" else "expression"), ".".join(name.sval for name in side.typeName.names)
    if is_a(side, ast.FuncCall):
        name = side.funcname[-1].sval
        return "function", name
    if is_a(side, ast.CoalesceExpr):
        return "function", "coalesce"
    if is_a(side, ast.CollateClause):
        return _way(side.arg)
    return "expression", ""


def _columns(node: Any) -> list[tuple[str, str]]:
    """Alias and name of every column."""
    found: list[tuple[str, str]] = []
    if node is None:
        return found

    class Walk(Visitor):
        def visit_ColumnRef(self, ancestors: Any, node: Any) -> None:
            names = [part.sval for part in node.fields if is_a(part, ast.String)]
            if len(names) == len(node.fields):
                found.append((names[-2] if len(names) > 1 else "", names[-1]))

    Walk()(tuple(node) if is_a(node, list) else node)
    return found


def _constant(node: Any) -> str | None:
    while is_a(node, ast.TypeCast):
        node = node.arg
    if is_a(node, ast.A_Const) and is_a(node.val, ast.String):
        return str(node.val.sval)
    return None
