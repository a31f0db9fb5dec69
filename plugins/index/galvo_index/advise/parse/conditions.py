"""Which conditions of a WHERE or ON clause an index could serve."""

from __future__ import annotations

from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, BoolTestType, NullTestType, SubLinkType

from galvo_index.advise.parse.keys import bare, constant, key
from galvo_index.advise.parse.scope import Scope
from galvo_index.advise.parse.use import Condition, Kind, Use
from galvo_sql import strings, walk

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<@": "@>", "@>": "<@", "&&": "&&"}
_CONTAINS = {"@>", "<@", "&&", "?", "?|", "?&", "@@", "@?"}
Found = list[tuple[Use, Condition]]


def conjuncts(node: Any) -> list[Any]:
    """What is connected by AND."""
    if isinstance(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        return [part for arg in node.args or () for part in conjuncts(arg)]
    return [node] if node is not None else []


def note(node: Any, scope: Scope) -> None:
    """Add the conditions of a clause to the uses of its tables."""
    for part in conjuncts(node):
        if isinstance(part, ast.BoolExpr) and part.boolop == BoolExprType.OR_EXPR:
            _either(part, scope)
        else:
            for use, found in conditions(part, scope):
                use.conditions.append(found)


def _either(node: ast.BoolExpr, scope: Scope) -> None:
    """What all arms of an OR say of the same key holds for the whole; the rest is noted arm by arm."""
    arms = [[found for part in conjuncts(arm) for found in conditions(part, scope)] for arm in node.args or ()]
    shared: dict[tuple[int, str], Kind] = {}
    for use, found in arms[0]:
        kinds = [[one.kind for other, one in arm if other is use and one.key == found.key] for arm in arms]
        if all(kinds):
            exact = {kind[0] for kind in kinds}
            same: Kind = found.kind if len(exact) == 1 else "in" if exact <= {"equal", "in"} else "range"
            shared[id(use), found.key.text] = "in" if same == "equal" else same
            use.conditions.append(Condition(found.key, shared[id(use), found.key.text], other=found.other))
    for arm in arms:
        by_use: dict[int, tuple[Use, list[Condition]]] = {}
        for use, found in arm:
            by_use.setdefault(id(use), (use, []))[1].append(found)
        for use, founds in by_use.values():
            use.arms.append(founds)


def conditions(node: Any, scope: Scope) -> Found:
    """Of one part without AND and OR."""
    match node:
        case ast.A_Expr():
            return _comparison(node, scope)
        case ast.NullTest():
            kind: Kind = "null" if node.nulltesttype == NullTestType.IS_NULL else "notnull"
            return _single(node.arg, kind, node, scope)
        case ast.BooleanTest() if node.booltesttype in (BoolTestType.IS_TRUE, BoolTestType.IS_FALSE):
            return _single(node.arg, "true" if node.booltesttype == BoolTestType.IS_TRUE else "false", node, scope)
        case ast.ColumnRef():
            return _single(node, "true", node, scope)
        case ast.BoolExpr(boolop=BoolExprType.NOT_EXPR, args=(ast.ColumnRef() as negated,)):
            return _single(negated, "false", node, scope)
        case ast.SubLink() if node.subLinkType == SubLinkType.ANY_SUBLINK and node.testexpr is not None:
            found = key(node.testexpr, scope)
            return [(found[0], Condition(found[1], "join"))] if found else []
    return []


def _single(arg: Any, kind: Kind, node: Any, scope: Scope) -> Found:
    found = key(arg, scope)
    return [(found[0], Condition(found[1], kind, sql=bare(node, scope)))] if found else []


def _comparison(node: ast.A_Expr, scope: Scope) -> Found:
    operator = (strings(node.name) or [""])[-1]
    left, right = node.lexpr, node.rexpr
    match node.kind:
        case A_Expr_Kind.AEXPR_OP if operator in _FLIPPED or operator in _CONTAINS:
            return _sided(left, operator, right, node, scope) + _sided(
                right, _FLIPPED.get(operator, ""), left, node, scope
            )
        case A_Expr_Kind.AEXPR_IN if operator == "=":
            values = right if isinstance(right, tuple) else (right,)
            if any(constant(value) is None for value in values):
                return []
            return _valued(left, "equal" if len(values) == 1 else "in", values[0], operator, node, scope)
        case A_Expr_Kind.AEXPR_OP_ANY if operator == "=" and constant(right) is not None:
            return _valued(left, "in", None, operator, node, scope)
        case A_Expr_Kind.AEXPR_BETWEEN:
            return _valued(left, "range", None, operator, node, scope)
        case A_Expr_Kind.AEXPR_LIKE | A_Expr_Kind.AEXPR_ILIKE if not operator.startswith("!"):
            value = constant(right)
            if value is None:
                return []
            anchored = node.kind == A_Expr_Kind.AEXPR_LIKE and value[0] and value[0][0] not in "%_"
            return _valued(left, "prefix" if anchored else "like", right, operator, node, scope)
    return []


def _valued(left: Any, kind: Kind, value: Any, operator: str, node: Any, scope: Scope) -> Found:
    found = key(left, scope)
    if not found:
        return []
    text, parameter = (constant(value) if value is not None else None) or (None, 0)
    sql = bare(node, scope) if kind == "equal" and text is not None else ""
    return [(found[0], Condition(found[1], kind, text, parameter, sql, operator))]


def _sided(side: Any, operator: str, other: Any, node: Any, scope: Scope) -> Found:
    """As far as `side` is the key, and `other` what it is compared with."""
    found = key(side, scope)
    if not found or not operator:
        return []
    use, name = found
    kind: Kind = "contains" if operator in _CONTAINS else "equal" if operator == "=" else "range"
    if constant(other) is not None:
        return _valued(side, kind, other, operator, node, scope)
    if kind == "contains" or _mentions(other, use, scope):
        return []
    opposite = key(other, scope)
    return [(use, Condition(name, "join" if kind == "equal" else "range", operator=operator, other=opposite))]


def _mentions(node: Any, use: Use, scope: Scope) -> bool:
    """A subquery's own columns are another use's."""
    for part in walk(node):
        if isinstance(part, ast.ColumnRef):
            place = scope.resolve(strings(part.fields))
            if place and place[0] is use and not any(isinstance(one, ast.SubLink) for one in walk(node)):
                return True
    return False
