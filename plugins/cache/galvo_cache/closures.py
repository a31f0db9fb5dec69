"""How far things reach: a write, a truncation, a view, a type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any


class Closures:
    """Reachability over foreign keys and over what views read."""

    __slots__ = ("_cascades", "_noisy", "_reads", "_references", "_unknown")

    def __init__(
        self,
        keys: Iterable[Sequence[int]],
        unknown: Collection[int],
        noisy: Collection[int],
        reads: Mapping[int, Sequence[int]],
    ) -> None:
        self._unknown = unknown
        self._noisy = noisy
        self._reads = reads
        self._cascades: dict[int, list[int]] = {}
        self._references: dict[int, list[int]] = {}
        for child, parent, cascades in keys:
            self._references.setdefault(parent, []).append(child)
            if cascades:
                self._cascades.setdefault(parent, []).append(child)

    def write(self, oid: int) -> frozenset[int] | None:
        """Whose rows may change with the rows of this table; None when that cannot be known."""
        return self._known(_reach(oid, self._cascades))

    def truncate(self, oid: int) -> frozenset[int] | None:
        """Whose rows may go with TRUNCATE ... CASCADE, whatever the action of the keys."""
        return self._known(_reach(oid, self._references))

    def inert(self, oid: int) -> bool:
        """Does reading this relation run none of the user's code?"""
        return _reach(oid, self._reads).isdisjoint(self._noisy)

    def _known(self, oids: set[int]) -> frozenset[int] | None:
        return frozenset(oids) if oids.isdisjoint(self._unknown) else None


def _reach(start: int, edges: Mapping[int, Sequence[int]]) -> set[int]:
    seen = {start}
    todo = [start]
    while todo:
        for oid in edges.get(todo.pop(), ()):
            if oid not in seen:
                seen.add(oid)
                todo.append(oid)
    return seen


class UserTypes:
    """The user's types and what they are made of."""

    __slots__ = ("_parts", "_rows", "loud")

    def __init__(self, rows: Iterable[Sequence[Any]], attributes: Mapping[int, Mapping[str, int]]) -> None:
        self._rows = list(rows)
        self._parts = {oid: [part, *attributes.get(rel, {}).values()] for oid, _, _, part, rel, _ in self._rows}
        self.loud = frozenset(row[0] for row in self._rows if row[5])

    def containing(self, oids: frozenset[int]) -> frozenset[int]:
        """These types and the user's types that hold one of them at any depth."""
        return oids | {oid for oid in self._parts if not _reach(oid, self._parts).isdisjoint(oids)}

    def classify(self, loud: frozenset[int]) -> dict[str, str]:
        """Say of each name the worst that a type of that name is: loud, quiet or enum."""
        ranks: dict[str, int] = {}
        for oid, name, kind, *_ in self._rows:
            rank = 2 if oid in loud else 0 if kind == "e" else 1
            ranks[name] = max(rank, ranks.get(name, 0))
        return {name: ("enum", "quiet", "loud")[rank] for name, rank in ranks.items()}
