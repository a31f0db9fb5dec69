"""The user's types: what they are made of, and whether that may run code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from galvo_cache.closures import reached


class UserTypes:
    """The user's types and what they are made of."""

    __slots__ = ("_parts", "_rows", "loud")

    def __init__(self, rows: Iterable[Sequence[Any]], attributes: Mapping[int, Mapping[str, int]]) -> None:
        self._rows = list(rows)
        self._parts = {oid: [part, *attributes.get(rel, {}).values()] for oid, _, _, part, rel, _ in self._rows}
        self.loud = frozenset(row[0] for row in self._rows if row[5])

    def containing(self, oids: frozenset[int]) -> frozenset[int]:
        """These types and the user's types that hold one of them at any depth."""
        return oids | {oid for oid in self._parts if not reached(oid, self._parts).isdisjoint(oids)}

    def classify(self, loud: frozenset[int]) -> dict[str, str]:
        """Say of each name the worst that a type of that name is: loud, quiet or enum."""
        ranks: dict[str, int] = {}
        for oid, name, kind, *_ in self._rows:
            rank = 2 if oid in loud else 0 if kind == "e" else 1
            ranks[name] = max(rank, ranks.get(name, 0))
        return {name: ("enum", "quiet", "loud")[rank] for name, rank in ranks.items()}
