"""From the rows of CATALOG_SQL to relations and what connects them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from galvo_cache.allowed import TIME_OIDS
from galvo_cache.closures import Closures, Graph, Key, reached
from galvo_cache.declared import Promises
from galvo_cache.scopes import KINDS, Readable, Scopes
from galvo_cache.stored import Called, Tree, Verdicts
from galvo_cache.user_types import UserTypes


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """One relation, as a statement may mention it.

    `plain` tables are all that reading them depends on; `reason` says why another is not, and `Catalog.scope`
    what it does depend on. Reading an `inert` relation runs none of the user's code. `unknown` says why nobody
    knows what writing it does. `lanes`: indexed columns by which reads may pick rows -> is the column alone a
    key? `generated`: columns that change with others.
    """

    oid: int
    schema: str
    name: str
    kind: str
    reason: str
    inert: bool
    columns: Mapping[str, int]
    lanes: Mapping[str, bool]
    generated: frozenset[str]
    unknown: str

    @property
    def plain(self) -> bool:
        """Is it an ordinary table that the cache may read?"""
        return not self.reason


class Row(NamedTuple):
    """One of `relations` in the answer."""

    oid: int
    schema: str
    name: str
    kind: str
    reason: str
    triggers: list[list[str]] | None
    runs: list[list[Any]] | None
    """Code that cannot be read: when it runs (1 at reading, 2 at writing, 3 both), and its functions (0: other)."""
    types: list[int] | None
    columns: dict[str, int] | None
    secured: bool
    rules: bool


class Assembly:
    """The parts of a catalog."""

    def __init__(self, facts: Mapping[str, Any], promises: Promises) -> None:
        """`facts` is the answer to CATALOG_SQL."""
        rows = [Row(*row) for row in facts["relations"]]
        types = UserTypes(facts["types"] or (), {row.oid: row.columns or {} for row in rows})
        self._promises = promises
        self._called = {int(oid): Called(*row) for oid, row in (facts.get("called") or {}).items()}
        self._loud = types.containing(types.loud)
        self.type_names = types.classify(self._loud)
        self.time_types = types.containing(TIME_OIDS)
        shifty = types.containing(frozenset(facts["shifty"]))
        self.trees: dict[int, list[Tree]] = {}
        for row in facts.get("trees") or ():
            self.trees.setdefault(row[0], []).append(Tree(row))
        children: dict[int, list[int]] = {}
        for parent, child in facts.get("inherits") or ():
            children.setdefault(parent, []).append(child)
        generated: dict[int, frozenset[str]] = {}
        for oid, column in facts.get("generated") or ():
            generated[oid] = generated.get(oid, frozenset()) | {column}
        triggers = {row.oid: self._triggers(row) for row in rows if row.triggers}
        self.opaque = {row.oid for row in rows if row.kind == "m" and self._runs(row)}
        noisy = {row.oid for row in rows if self._runs(row) & 1}
        self._unknown = {row.oid: why for row in rows if (why := self._feared(row, triggers.get(row.oid, frozenset())))}
        reads = {row.oid: frozenset[int]().union(*(tree.relations for tree in self.trees.get(row.oid, ())))
                 for row in rows if row.kind != "m"}  # fmt: skip
        readable = {row.oid: Readable(row.name, row.kind, _unreadable(row, shifty), row.secured) for row in rows}
        self.closures = Closures(
            Graph(
                kinds={row.oid: row.kind for row in rows},
                children=children,
                keys=[Key(*key) for key in facts["keys"] or ()],
                bases=reads,
                triggers={oid: tables for oid, tables in triggers.items() if tables is not None},
                generated=generated,
                unknown=self._unknown,
            )
        )
        verdicts = Verdicts(self._called, frozenset(facts.get("castable") or ()), shifty, promises)
        self.scopes = Scopes(readable, children, self.trees, verdicts, promises)
        lanes: dict[int, dict[str, bool]] = {}
        for oid, column, alone in facts.get("lanes") or ():
            lanes.setdefault(oid, {})[column] = alone
        related = {oid for parent, heirs in children.items() for oid in (parent, *heirs)}
        self.relations: dict[int, Relation] = {}
        for row in rows:
            reason = readable[row.oid].reason or KINDS.get(row.kind, "")
            reason = reason or ("row_security" if row.secured else "inheritance" if row.oid in children else "")
            self.relations[row.oid] = Relation(
                oid=row.oid,
                schema=row.schema,
                name=row.name,
                kind=row.kind,
                reason=reason,
                inert=reached(row.oid, reads).isdisjoint(noisy),
                columns=MappingProxyType(row.columns or {}),
                lanes=MappingProxyType({} if reason or row.oid in related else lanes.get(row.oid, {})),
                generated=generated.get(row.oid, frozenset()),
                unknown=self._unknown.get(row.oid, ""),
            )

    def _triggers(self, row: Row) -> frozenset[int] | None:
        """The tables that the triggers of a table change; None when one of them is opaque."""
        found = [self._promises.trigger(row.oid, *trigger) for trigger in row.triggers or ()]
        known = [tables for tables in found if tables is not None]
        return frozenset[int]().union(*known) if len(known) == len(found) else None

    def _runs(self, row: Row) -> int:
        """When code runs that nobody can read and nobody declared: 1 at reading, 2 at writing, 3 both."""
        speaks = not self._loud.isdisjoint(row.types or ()) or not self._loud.isdisjoint((row.columns or {}).values())
        when = 3 if speaks else 0
        for runs_on, culprits in row.runs or ():
            if not all(self._excused(culprit) for culprit in culprits):
                when |= runs_on
        return when

    def _excused(self, function: int) -> bool:
        call = self._called.get(function)
        return call is not None and self._promises.reads(call.schema, call.name) is not None

    def _feared(self, row: Row, triggers: frozenset[int] | None) -> str:
        """Why nobody knows what writing it does."""
        if row.reason == "system_catalog":
            return row.reason
        if row.kind not in ("r", "p", "v"):
            return KINDS.get(row.kind, "not_a_table")
        if triggers is None:
            return "triggers"
        if row.rules:
            return "rules"
        if self._runs(row):
            return "user_code"
        return row.reason


def _unreadable(row: Row, shifty: frozenset[int]) -> str:
    """Why it may not be read through the cache, however it is reached."""
    if row.reason:
        return row.reason
    return "" if shifty.isdisjoint((row.columns or {}).values()) else "column_type"
