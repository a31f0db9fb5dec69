"""What reading a relation depends on: partitions, heirs, what a view reads, what a policy asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from galvo_cache.declared import Promises
from galvo_cache.stored import Tree, Verdicts

KINDS = {
    "v": "view",
    "m": "materialized_view",
    "f": "foreign_table",
    "p": "partitioned_table",
    "S": "sequence",
    "c": "composite_type",
}
_UNREADABLE = ("f", "S", "c")


@dataclass(frozen=True, slots=True)
class Scope:
    """The tables (OIDs) and session settings that the rows of a relation depend on, or the reason for not knowing."""

    tables: frozenset[int] = frozenset()
    inputs: tuple[str, ...] = ()
    declared: bool = False
    """A view calls functions of which is declared what they read; of those in a policy, so are the settings."""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readable:
    """What is to be known of a relation for reading it. `reason` says why it may not be read at all."""

    name: str
    kind: str
    reason: str
    secured: bool


class Scopes:
    """Follows what reading leads to."""

    __slots__ = ("_children", "_known", "_promises", "_relations", "_trees", "_verdicts")

    def __init__(
        self,
        relations: Mapping[int, Readable],
        children: Mapping[int, Sequence[int]],
        trees: Mapping[int, Sequence[Tree]],
        verdicts: Verdicts,
        promises: Promises,
    ) -> None:
        self._relations = relations
        self._children = children
        self._trees = trees
        self._verdicts = verdicts
        self._promises = promises
        self._known: dict[tuple[int, bool], Scope] = {}

    def scope(self, oid: int, only: bool) -> Scope:
        """What reading `oid` depends on; `only` as in FROM ONLY."""
        if (oid, only) not in self._known:
            self._known[oid, only] = self._find(oid, only)
        return self._known[oid, only]

    def _find(self, start: int, only: bool) -> Scope:
        tables: set[int] = set()
        inputs: set[str] = set()
        declared = False
        todo = [(start, only, False)]
        seen = set(todo)
        while todo:
            oid, alone, heir = todo.pop()
            relation = self._relations.get(oid)
            reason, detail = self._local(oid, relation, heir)
            if reason or relation is None:
                first = self._relations.get(start)
                inside = first is not None and first.kind == "v" and reason != first.reason
                return Scope(reason=f"view: {reason}" if inside else reason, detail=detail)
            found: list[tuple[int, bool, bool]] = []
            if relation.kind != "v":
                tables.add(oid)
            if relation.kind in ("r", "p") and not alone:
                found += [(child, False, True) for child in self._children.get(oid, ())]
            if relation.kind == "v" or (relation.secured and not heir):
                inputs.update(self._promises.inputs.get(oid, ()))
                for tree in self._trees.get(oid, ()):
                    declared |= relation.kind == "v" and self._verdicts.trusts(tree)
                    found += [(other, False, False) for other in tree.relations | self._verdicts.reads(tree)]
            todo += [step for step in found if step not in seen]
            seen.update(found)
        return Scope(frozenset(tables), tuple(sorted(inputs)), declared)

    def _local(self, oid: int, relation: Readable | None, heir: bool) -> tuple[str, str]:
        """What forbids the relation by itself. The policies of an heir do not apply to who reads its parent."""
        if relation is None:
            return "unknown_relation", ""
        if relation.kind in _UNREADABLE:
            return KINDS[relation.kind], relation.name
        if relation.reason:
            return relation.reason, relation.name
        settings = self._promises.inputs.get(oid)
        if relation.secured and not heir and settings is None:
            return "row_security", relation.name
        if relation.kind == "v" and not self._trees.get(oid):
            return "unknown_view", relation.name
        if relation.kind == "v" or (relation.secured and not heir):
            for tree in self._trees.get(oid, ()):
                reason, detail = self._verdicts.judge(tree, settings or ())
                if reason:
                    return reason if relation.kind == "v" else f"policy: {reason}", detail
        return "", ""
