"""A FROM clause: what it joins, what its conditions filter, and what column names mean in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pglast import ast
from pglast.enums import BoolExprType, JoinType

from galvo_cache.catalog import Catalog, Relation
from galvo_cache.tree import Facts
from galvo_sql import strings

MAX_DEPTH = 64
"""Of nested joins; hostile texts nest deeper."""


class Unclear(Exception):
    """A FROM clause of a kind that is not followed: its tables are tracked as a whole."""


class Item(NamedTuple):
    """One entry of a FROM clause.

    `relation` is None if its columns are not those of an ordinary table. `present`: every row of the join has a row
    of it, because it is on the nullable side of no outer join.
    """

    name: str
    relation: Relation | None
    present: bool


class Column(NamedTuple):
    """A column of the item with this number."""

    item: int
    name: str


class Condition(NamedTuple):
    """What is true of every row that passes a filter.

    Rows of the items in `filters` that meet it with nothing vanish there; WHERE filters all, ON the inner side.
    """

    expression: object
    filters: frozenset[int]


class Joins:
    """The items, conditions and names of one FROM clause and its WHERE."""

    __slots__ = ("_catalog", "_ctes", "_merges", "conditions", "items")

    def __init__(self, sources: Iterable[object], where: object, catalog: Catalog, ctes: set[str]) -> None:
        """Raises Unclear."""
        self.items: list[Item] = []
        self.conditions: list[Condition] = []
        self._catalog = catalog
        self._ctes = ctes
        self._merges = False
        for source in sources:
            self._add(source, present=True, depth=0)
        self._filter(where, frozenset(range(len(self.items))))

    def resolve(self, reference: ast.ColumnRef) -> Column | None:
        """The column of an ordinary table that a reference means, if no other meaning is possible."""
        names = strings(reference.fields)
        if len(names) != len(reference.fields or ()) or not 0 < len(names) <= 2:
            return None
        name = names[-1]
        if len(names) == 1 and any(item.relation is None for item in self.items):
            return None  # columns we do not know may have that name
        found = [
            number
            for number, item in enumerate(self.items)
            if (
                item.name == names[0]
                if len(names) == 2
                else item.relation is not None and name in item.relation.columns
            )
        ]
        if len(found) != 1:
            return None
        relation = self.items[found[0]].relation
        return Column(found[0], name) if relation is not None and name in relation.columns else None

    def expand(self, value: object) -> list[Column | None] | None:
        """The columns of the answer that an entry of the target list makes; None if they cannot be counted."""
        match value:
            case ast.ColumnRef(fields=(*names, ast.A_Star())):
                return self._star(strings(tuple(names)))
            case ast.ColumnRef():
                return [self.resolve(value)]
            case ast.A_Indirection(indirection=(*_, ast.A_Star())):
                return None
            case _:
                return [None]

    def _star(self, names: list[str]) -> list[Column | None] | None:
        if len(names) > 1 or (not names and self._merges):
            return None
        found: list[Column | None] = []
        matches = [number for number, item in enumerate(self.items) if not names or item.name == names[0]]
        if names and len(matches) != 1:
            return None
        for number in matches:
            relation = self.items[number].relation
            if relation is None:
                return None
            found += [Column(number, name) for name in relation.columns]
        return found

    def _add(self, node: object, present: bool, depth: int) -> frozenset[int]:
        match node:
            case ast.JoinExpr(alias=None, join_using_alias=None) if depth < MAX_DEPTH:
                return self._join(node, present, depth + 1)
            case ast.RangeVar():
                name, relation = node.relname or "", None
                if node.schemaname is not None or name not in self._ctes:
                    relation = self._catalog.resolve(node.schemaname, name)
                if relation is not None and not is_ordinary(relation):
                    relation = None
                alias = node.alias
                if alias is not None:
                    name, relation = alias.aliasname or "", None if alias.colnames else relation
                self.items.append(Item(name, relation, present))
            case ast.RangeSubselect() | ast.RangeFunction():
                self.items.append(Item((node.alias.aliasname or "") if node.alias else "", None, present))
            case _:
                raise Unclear(type(node).__name__)
        return frozenset({len(self.items) - 1})

    def _join(self, join: ast.JoinExpr, present: bool, depth: int) -> frozenset[int]:
        kind = join.jointype
        left = self._add(join.larg, present and kind in (JoinType.JOIN_INNER, JoinType.JOIN_LEFT), depth)
        right = self._add(join.rarg, present and kind in (JoinType.JOIN_INNER, JoinType.JOIN_RIGHT), depth)
        # An outer join keeps the rows of a preserved side that match nothing: ON does not filter them.
        match kind:
            case JoinType.JOIN_INNER:
                self._filter(join.quals, left | right)
            case JoinType.JOIN_LEFT:
                self._filter(join.quals, right)
            case JoinType.JOIN_RIGHT:
                self._filter(join.quals, left)
            case _:
                self._filter(join.quals, frozenset())
        self._merges |= bool(join.isNatural or join.usingClause)
        return left | right

    def _filter(self, expression: object, filters: frozenset[int]) -> None:
        todo = [expression]
        while todo:
            match todo.pop():
                case None:
                    pass
                case ast.BoolExpr(boolop=BoolExprType.AND_EXPR, args=args):
                    todo.extend(reversed(args or ()))
                case term:
                    self.conditions.append(Condition(term, filters))


def is_ordinary(relation: Relation) -> bool:
    """Whether its rows are its own and all visible."""
    return relation.kind == "r" and relation.plain


def runs_user_code(facts: Facts, catalog: Catalog) -> bool:
    """Whether functions are called that may read or write more, even if it is declared what."""
    return any(call.name in catalog.functions for call in facts.calls) or not facts.fields.isdisjoint(catalog.fields)
