"""Columns that a statement pins to a value: which equalities count, and how far they reach.

An equality counts if it is `=` of pg_catalog between types where equal means the same value: integers with integers,
text with text of a deterministic collation, UUIDs with UUIDs. The server gives a parameter one type for the whole
statement; as numeric or double, `$1` may equal a column that its Python value does not. So all uses must be exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

from pglast import ast
from pglast.enums import A_Expr_Kind

from galvo_cache.catalog import Catalog, Relation
from galvo_cache.effects import Const, Output, Param, Source
from galvo_cache.joins import Column, Joins
from galvo_sql import strings, walk

Kind = Literal["integer", "text", "uuid"]

_KINDS: dict[int, Kind] = {20: "integer", 21: "integer", 23: "integer", 25: "text", 1043: "text", 2950: "uuid"}
_TYPES: dict[str, Kind] = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "text": "text",
    "varchar": "text",
    "uuid": "uuid",
}


class Equality(NamedTuple):
    """A condition `column = other`; rows of the items in `filters` that do not meet it vanish."""

    column: Column
    other: Column | Source
    filters: frozenset[int]


class Exact:
    """Which values of one statement are exact: equal in SQL if, and only if, equal in Python."""

    __slots__ = ("_catalog", "_kinds", "_total")

    def __init__(self, statement: ast.Node, catalog: Catalog) -> None:
        self._catalog = catalog
        self._total = Counter(node.number for node in walk(statement) if isinstance(node, ast.ParamRef))
        self._kinds: dict[int, list[Kind]] = {}

    def kind(self, relation: Relation, column: str) -> Kind | None:
        """How values of a column compare, if exactly."""
        kind = _KINDS.get(relation.columns.get(column, 0))
        # Only lanes are known to have a deterministic collation; other encodings know several characters by one code.
        if kind == "text" and (column not in relation.lanes or self._catalog.encoding != "UTF8"):
            return None
        return kind

    def value(self, node: object, kind: Kind | None) -> Param | Const | None:
        """The value that `node` gives to, or compares with, a column of `kind`; notes the use of a parameter."""
        match node:
            case ast.A_Const(val=ast.Integer(ival=number)) if kind == "integer":
                return Const(number or 0)
            case ast.A_Const(val=ast.String(sval=text)) if kind == "text":
                return Const(text or "")
            case ast.TypeCast(arg=ast.ParamRef(number=int(number)), typeName=ast.TypeName() as name):
                return self._use(number, kind) if kind and self._named(name) == kind else None
            case ast.ParamRef(number=int(number)) if kind:
                return self._use(number, kind)
            case _:
                return None

    def holds(self, source: Column | Source) -> bool:
        """Whether every use of a parameter has been noted as exact, and of one kind."""
        if not isinstance(source, Param):
            return True
        kinds = self._kinds[source.index + 1]
        return len(kinds) == self._total[source.index + 1] and len(set(kinds)) == 1

    def _use(self, number: int, kind: Kind) -> Param:
        self._kinds.setdefault(number, []).append(kind)
        return Param(number - 1)

    def _named(self, name: ast.TypeName) -> Kind | None:
        *schema, last = strings(name.names)
        if name.typmods or name.arrayBounds or name.setof or name.pct_type:
            return None  # varchar(3) cuts
        return None if schema not in ([], ["pg_catalog"]) or self._catalog.user_type(last) else _TYPES.get(last)


def equalities(joins: Joins, exact: Exact) -> list[Equality]:
    """The exact equalities among the conditions of a FROM clause and its WHERE."""
    found = [
        equality
        for condition in joins.conditions
        if (equality := _equality(condition.expression, condition.filters, joins, exact))
    ]
    return [equality for equality in found if exact.holds(equality.other)]  # all uses are known only now


def _equality(node: object, filters: frozenset[int], joins: Joins, exact: Exact) -> Equality | None:
    if not isinstance(node, ast.A_Expr) or node.kind != A_Expr_Kind.AEXPR_OP:
        return None
    if strings(node.name) not in (["="], ["pg_catalog", "="]):
        return None
    left, right = (_column(side, joins, exact) for side in (node.lexpr, node.rexpr))
    if left and right:
        return Equality(left[0], right[0], filters) if left[1] == right[1] else None
    if left or right:
        column, kind = left or right  # type: ignore[misc]  # one of them is not None
        value = exact.value(node.rexpr if left else node.lexpr, kind)
        return Equality(column, value, filters) if value else None
    return None


def _column(node: object, joins: Joins, exact: Exact) -> tuple[Column, Kind] | None:
    column = joins.resolve(node) if isinstance(node, ast.ColumnRef) else None
    relation = joins.items[column.item].relation if column else None
    kind = exact.kind(relation, column.name) if column and relation else None
    return (column, kind) if column and kind else None


def spread(known: dict[Column, Source], found: Iterable[Equality]) -> None:
    """Pin whatever the equalities pin, directly or through columns pinned before.

    A column is pinned if rows with another value of it cannot change the result. An equality passes the pin of one
    side to the other only if the rows of the latter's item vanish where it does not hold: in `parent left join child
    on child.parent = parent.id` from parent to child. A row of the child with another value meets only parents that
    the pin removes; a child's pin says nothing of the parents, which stay without it.
    """
    pairs = [
        (column, other, equality.filters)
        for equality in found
        for column, other in ((equality.column, equality.other), (equality.other, equality.column))
        if isinstance(column, Column)
    ]
    grown = True
    while grown:
        grown = False
        for column, other, filters in pairs:
            source = known.get(other) if isinstance(other, Column) else other
            if source is not None and column not in known and column.item in filters:
                known[column] = source
                grown = True


def spread_outputs(
    known: dict[Column, Source], found: Iterable[Equality], anchors: set[int], outputs: dict[Column, int]
) -> None:
    """Pin what equals a column of an anchor, if the answer shows either.

    An anchor is an item that takes part in every row of the answer with one and the same row.
    """
    for column, other, filters in found:
        if not isinstance(other, Column):
            continue
        for near, far in ((column, other), (other, column)):
            position = outputs.get(near, outputs.get(far))
            if position is not None and near.item in anchors and far.item in filters and far not in known:
                known[far] = Output(position)
    spread(known, found)
