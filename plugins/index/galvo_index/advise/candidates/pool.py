"""All candidates of a workload; the same index is the same object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.candidates.generate import btrees
from galvo_index.advise.candidates.size import size
from galvo_index.advise.candidates.special import others, partial
from galvo_index.advise.parse.use import Use

MOST_PER_USE = 150
FEW = 3
"""Values; a column with fewer leads no index of all rows."""


class Pool:
    def __init__(self, trigrams: str | None) -> None:
        self._trigrams = trigrams
        self._all: dict[tuple[int, str], Candidate] = {}
        self.bytes: dict[Candidate, int] = {}

    def add(self, use: Use, arguments: Sequence[tuple[Any, ...]] = ()) -> list[Candidate]:
        """Those of a use that no existing index serves."""
        table = use.table
        if table.refused:
            return []
        bases = list(btrees(use))
        made = [*bases, *partial(use, arguments, bases), *others(use, self._trigrams)]
        kept = [self._same(one) for one in made if self._worth_a_try(one)]
        return list(dict.fromkeys(kept))[:MOST_PER_USE]

    def _same(self, one: Candidate) -> Candidate:
        key = (one.table.oid, one.definition.sql(""))
        if key not in self._all:
            self._all[key] = one
            self.bytes[one] = size(one)
        return self._all[key]

    def _worth_a_try(self, one: Candidate) -> bool:
        leads = one.table.columns[one.columns[0]]
        if leads.distinct < FEW and one.method == "btree" and not one.where and not one.include:
            return False
        return not any(one.served_by_existing(index) for index in one.table.indexes)
