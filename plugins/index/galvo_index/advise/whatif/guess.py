"""Without any what-if: how much of each table a statement has to read, from the columns' statistics alone.

Good enough to say which candidates deserve a look, and for suggestions that are called unverified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from galvo_index.advise.advice import Verified
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.table import Table
from galvo_index.advise.parse.use import EXACT, RANGE, Condition, Use
from galvo_index.advise.whatif.backend import Plan, Question

_ROW = 0.01
_RANDOM = 1.1
"""The planner's usual costs of a row, and of a page where it is in memory."""
_RANGE, _JOIN, _CONTAINED = 0.2, 0.05, 0.005
"""Parts of the rows, where nothing is known: of a range, of what a join looks for, of what contains a value (the last
as the planner supposes for arrays)."""
_SORT = 0.02
_SAFE = ("lower(", "upper(", "pg_catalog.lower(", "pg_catalog.upper(")
"""Expressions known to be immutable without asking."""


class Guess:
    verified: Verified = "no"

    def __init__(self, uses: Mapping[int, Sequence[Use]]) -> None:
        """By the questions' numbers."""
        self._uses = uses

    async def close(self) -> None:
        pass

    async def possible(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        return [one for one in candidates if one.plain or one.method == "gin" or one.keys[0].startswith(_SAFE, 1)]

    async def plan(self, question: Question, indexes: frozenset[Candidate]) -> Plan:
        total, used = 0.0, set()
        for use in self._uses[question.number]:
            best, chosen = self._without(use), None
            for one in indexes:
                if one.table is use.table and (cost := self._with(use, one)) < best:
                    best, chosen = cost, one
            total += best
            used |= {chosen} if chosen else set()
        return Plan(max(total, 0.01), frozenset(used))

    def _without(self, use: Use) -> float:
        """The cheapest way by what there is already."""
        table = use.table
        costs = [table.pages + table.rows * _ROW + (table.rows * _SORT if use.order else 0.0)]
        for index in table.indexes:
            if index.method == "btree" and not index.where:
                part, _ = selectivity(use, index.keys)
                costs.append(_fetch(table, part))
        return min(costs)

    def _with(self, use: Use, one: Candidate) -> float:
        part, matched = selectivity(use, one.keys, one.method)
        if one.where:
            fixed = any(condition.key.columns[0] in one.fixed for condition in use.conditions)
            part = min(part, 1.0) * one.part if fixed else 2.0
        cost = _fetch(use.table, part)
        if one.include and use.columns <= one.all_columns and not use.whole:
            cost /= 2
        if use.order and matched >= len(one.keys) - len(use.order) and one.method == "btree":
            cost *= 0.9
        return cost


def selectivity(use: Use, keys: Sequence[str], method: str = "btree") -> tuple[float, int]:
    """Part of the rows that are found by these keys, and how many of the keys serve for it."""
    part, matched = 1.0, 0
    for key in keys:
        name = key.split(" ")[0] if not key.startswith("(") else key
        found = [one for one in use.conditions if one.key.text == name]
        exact = [one for one in found if one.kind in EXACT]
        if method == "gin":
            return (_CONTAINED, 1) if any(one.kind in ("contains", "like") for one in found) else (1.0, 0)
        if exact:
            part, matched = part * min(_part(use.table, one) for one in exact), matched + 1
            continue
        if any(one.kind in RANGE for one in found):
            return part * _RANGE, matched + 1
        break
    return part, matched


def _part(table: Table, condition: Condition) -> float:
    column = table.columns[condition.key.columns[0]]
    if condition.kind == "join":
        return max(_JOIN, 1 / column.distinct)
    if condition.kind == "null":
        return column.nulls
    if condition.literal is not None and condition.literal in column.common:
        return column.common[condition.literal]
    return (3.0 if condition.kind == "in" else 1.0) / column.distinct


def _fetch(table: Table, part: float) -> float:
    """Pages are fetched once each at most."""
    rows = table.rows * part
    return 5.0 + rows * _ROW + _RANDOM * min(rows, table.pages * 1.5)
