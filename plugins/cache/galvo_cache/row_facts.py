"""What the answer of a SELECT says of single rows: for a key, the row's values in other lanes."""

from __future__ import annotations

from collections.abc import Collection

from pglast import ast

from galvo_cache.catalog import Catalog, Relation
from galvo_cache.effects import Output, Shown, Source
from galvo_cache.joins import Column, Joins
from galvo_cache.pins import Equality, spread
from galvo_cache.row_reads import outputs, shows_rows, understand


def shown(statement: ast.SelectStmt, catalog: Catalog, tables: Collection[int]) -> tuple[Shown, ...]:
    """The rows that a cacheable SELECT of `tables` shows."""
    understood = understand(statement, catalog, tables)
    if understood is None or not shows_rows(statement):
        return ()
    places = _Places(understood.joins, understood.equalities, outputs(statement, understood.joins))
    return tuple(
        part
        for number, item in enumerate(understood.joins.items)
        if item.relation is not None
        for part in places.of(number, item.relation)
    )


class _Places:
    """Where the values of columns stand: in the answer, or in the conditions that its rows have met."""

    def __init__(self, joins: Joins, found: list[Equality], shown: dict[Column, int]) -> None:
        self._joins = joins
        self._shown = shown
        self._known: dict[Column, Source] = {}
        spread(self._known, found)
        self._equal = [
            (near, far, filters)
            for column, other, filters in found
            if isinstance(other, Column)
            for near, far in ((column, other), (other, column))
        ]

    def of(self, number: int, relation: Relation) -> list[Shown]:
        """By each key that has a place."""
        sources = {
            name: source for name in relation.lanes if (source := self._source(Column(number, name))) is not None
        }
        found = []
        for key, unique in relation.lanes.items():
            others = tuple((name, source) for name, source in sources.items() if name != key)
            # Where an outer join has met nothing, the item's own columns are NULL, but what they would equal is not.
            if unique and others and key in sources and (self._joins.items[number].present or self._bare(number, key)):
                found.append(Shown(relation.oid, key, sources[key], others))
        return found

    def _bare(self, number: int, name: str) -> bool:
        return Column(number, name) in self._shown

    def _source(self, column: Column) -> Source | None:
        """The value of the column in every row of the answer in which its item takes part."""
        if column in self._shown:
            return Output(self._shown[column])
        for near, far, filters in self._equal:
            if near == column and near.item in filters and far in self._shown:
                return Output(self._shown[far])
        return self._known.get(column)
