"""Which column of which table a name means, where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from galvo_index.advise.parse.use import Key, Use

Place = tuple[Use, str]
"""A column of a use."""


@dataclass(slots=True, eq=False)
class Derived:
    """A subquery, common table expression or view: its output columns, with what they are when they are columns."""

    columns: dict[str, Place | None] = field(default_factory=dict)


Entry = Use | Derived


@dataclass(slots=True, eq=False)
class Scope:
    parent: Scope | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    queries: dict[str, Derived] = field(default_factory=dict)
    """Common table expressions."""
    outputs: dict[str, object] = field(default_factory=dict)
    """The nodes behind the target list's names."""

    def query(self, name: str) -> Derived | None:
        scope: Scope | None = self
        while scope:
            if name in scope.queries:
                return scope.queries[name]
            scope = scope.parent
        return None

    def uses(self) -> Iterator[Use]:
        return (entry for entry in self.entries.values() if isinstance(entry, Use))

    def resolve(self, names: list[str]) -> Place | None:
        """From the innermost scope outwards; None when it is no column of a table."""
        *qualifier, column = names
        scope: Scope | None = self
        while scope:
            if qualifier:
                entry = scope.entries.get(qualifier[-1])
                if entry is not None:
                    return find(entry, column)
            else:
                for entry in scope.entries.values():
                    if has(entry, column):
                        return find(entry, column)
            scope = scope.parent
        return None


def has(entry: Entry, column: str) -> bool:
    return column in (entry.table.columns if isinstance(entry, Use) else entry.columns)


def find(entry: Entry, column: str) -> Place | None:
    if isinstance(entry, Derived):
        return entry.columns.get(column)
    return (entry, column) if column in entry.table.columns else None


def plain(place: Place) -> Key:
    use, column = place
    return Key(use.table.quoted[column], (column,), True)
