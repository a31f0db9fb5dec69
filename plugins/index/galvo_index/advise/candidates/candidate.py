"""An index that could be created."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from galvo_index.advise.catalog.table import Index, Table
from galvo_index.definition import Definition


@dataclass(frozen=True, eq=False)
class Candidate:
    """Equal candidates are one object, see `Pool`."""

    table: Table
    keys: tuple[str, ...]
    """As in SQL, each with its operator class or direction where it has one."""
    columns: tuple[str, ...]
    """Those in the keys, in order, as in pg_attribute."""
    include: tuple[str, ...] = ()
    """As in pg_attribute."""
    where: str = ""
    part: float = 1.0
    """Of the rows that are in a partial index."""
    method: str = "btree"
    fixed: tuple[str, ...] = ()
    """Columns that the predicate reads."""

    @cached_property
    def definition(self) -> Definition:
        include = tuple(self.table.quoted[name] for name in self.include)
        return Definition(self.table.schema, self.table.name, self.keys, include, self.where, self.method)

    @cached_property
    def all_columns(self) -> frozenset[str]:
        return frozenset((*self.columns, *self.include))

    @cached_property
    def plain(self) -> bool:
        """Every key is a column itself, so that an index-only scan can return it."""
        return all(key.split(" ")[0] in self.table.quoted.values() for key in self.keys)

    def served_by(self, other: Candidate) -> bool:
        """Whatever it does, `other` does too."""
        return (
            other is not self
            and other.table is self.table
            and other.method == self.method == "btree"
            and other.where in ("", self.where)
            and other.keys[: len(self.keys)] == self.keys
            and frozenset(self.include) <= other.all_columns
        )

    def served_by_existing(self, index: Index) -> bool:
        include = {self.table.quoted[name] for name in self.include}
        keys = tuple(re.sub(r" \S+\.", " ", key) for key in self.keys)  # a class of an extension
        return (
            index.method == self.method
            and index.where in ("", self.where, f"({self.where})")
            and index.keys[: len(keys)] == keys
            and include <= {*index.keys, *index.include}
        )
