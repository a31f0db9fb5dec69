"""An immutable snapshot of what the database's catalog says about names, code and consequences."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from galvo_cache.allowed import IMPLIED_OPERATORS, TIME_OIDS
from galvo_cache.catalog_sql import CATALOG_SQL
from galvo_cache.closures import Closures, UserTypes

__all__ = ["CATALOG_SQL", "Catalog", "Relation"]

_KINDS = {
    "v": "view",
    "m": "materialized_view",
    "f": "foreign_table",
    "p": "partitioned_table",
    "S": "sequence",
    "c": "composite_type",
}


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """One relation: how it may be read, and what writing it changes.

    `plain` tables may be read through the cache; `reason` says why another may not. Reading an `inert`
    relation runs none of the user's code. The closures hold the OIDs whose rows may change when this one
    is written (`write_closure`), only inserted into, or truncated with CASCADE; None is "cannot be
    known", and `unknown` says why.
    """

    oid: int
    schema: str
    name: str
    kind: str
    reason: str
    inert: bool
    columns: Mapping[str, int]
    write_closure: frozenset[int] | None
    insert_closure: frozenset[int] | None
    truncate_closure: frozenset[int] | None
    unknown: str

    @property
    def plain(self) -> bool:
        """Is it an ordinary table that the cache may read?"""
        return not self.reason


class Catalog:
    """What one session's catalog and search_path looked like at one moment."""

    __slots__ = (
        "_names",
        "_relations",
        "_type_names",
        "digest",
        "encoding",
        "fields",
        "functions",
        "hazard",
        "immutable",
        "operators",
        "search_path",
        "stable",
        "time_types",
        "volatile",
    )

    def __init__(self, facts: Mapping[str, Any], digest: str) -> None:
        """Use `load`."""
        self.digest = digest
        self.search_path: tuple[str, ...] = tuple(facts["path"])
        self.encoding: str = facts["encoding"]
        self.immutable = frozenset[str](facts["immutable"])
        self.stable = frozenset[str](facts["stable"])
        self.volatile = frozenset[str](facts["volatile"])
        # name -> may it run code that we cannot know?
        self.functions: dict[str, bool] = {name: loud for name, loud, _ in facts["functions"] or ()}
        # `row.name` calls these when there is no such column
        self.fields = frozenset(name for name, _, field in facts["functions"] or () if field)
        self.operators = frozenset[str](facts["operators"] or ())
        self.hazard = self._find_hazard(facts)
        rows: list[list[Any]] = facts["relations"]
        types = UserTypes(facts["types"] or (), {row[0]: row[9] or {} for row in rows})
        loud = types.containing(types.loud)
        self._type_names = types.classify(loud)
        self.time_types = types.containing(TIME_OIDS)
        shifty = types.containing(frozenset(facts["shifty"]))
        self._relations = _relations(rows, facts["keys"] or (), loud, shifty)
        self._names = {(relation.schema, relation.name): relation for relation in self._relations.values()}

    @classmethod
    def load(cls, answer: str) -> Catalog:
        """Build the snapshot from the answer to CATALOG_SQL."""
        return cls(json.loads(answer), hashlib.blake2b(answer.encode(), digest_size=16).hexdigest())

    def resolve(self, schema: str | None, name: str) -> Relation | None:
        """Return the relation that the session of the snapshot means by a name."""
        if schema is not None:
            return self._names.get((schema, name))
        found = (self._names.get((place, name)) for place in self.search_path)
        return next((relation for relation in found if relation is not None), None)

    def relation(self, oid: int) -> Relation | None:
        """Return a relation by OID."""
        return self._relations.get(oid)

    def user_type(self, name: str) -> str:
        """Classify the user's types of a name, in any schema: enum, quiet, loud, or "" for none."""
        return self._type_names.get(name, "")

    @staticmethod
    def _find_hazard(facts: Mapping[str, Any]) -> str:
        """Code of the user that runs where a statement does not name it."""
        if facts["strings"] != "on":
            return "standard_conforming_strings"
        if facts["casts"]:
            return "user_cast"
        if facts["families"]:
            return "user_operator_class"
        if not IMPLIED_OPERATORS.isdisjoint(facts["operators"] or ()):
            return "user_operator"
        return ""


def _relations(
    rows: list[list[Any]], keys: Iterable[list[Any]], loud: frozenset[int], shifty: frozenset[int]
) -> dict[int, Relation]:
    unknown: dict[int, str] = {}
    noisy: set[int] = set()
    reads: dict[int, list[int]] = {}
    for oid, _, _, kind, reason, triggers, runs_on, reads_too, types, columns in rows:
        speaks = not loud.isdisjoint(types or ()) or not loud.isdisjoint((columns or {}).values())
        if speaks or runs_on & 1:
            noisy.add(oid)
        reads[oid] = reads_too or []
        if reason == "system_catalog":
            unknown[oid] = reason
        elif kind != "r":
            unknown[oid] = _KINDS.get(kind, "not_a_table")
        elif triggers:
            unknown[oid] = "triggers"
        elif speaks or runs_on:
            unknown[oid] = "user_code"
        elif reason and reason != "row_security":
            unknown[oid] = reason
    closures = Closures(keys, unknown, noisy, reads)
    found = {}
    for oid, schema, name, kind, reason, _, _, _, _, columns in rows:
        why = reason if kind == "r" or reason in ("system_catalog", "temporary_table") else _KINDS[kind]
        if not why and not shifty.isdisjoint((columns or {}).values()):
            why = "column_type"
        write = closures.write(oid)
        found[oid] = Relation(
            oid=oid,
            schema=schema,
            name=name,
            kind=kind,
            reason=why,
            inert=closures.inert(oid),
            columns=MappingProxyType(columns or {}),
            write_closure=write,
            insert_closure=None if oid in unknown else frozenset({oid}),
            truncate_closure=closures.truncate(oid),
            unknown="" if write is not None else unknown.get(oid, "cascade"),
        )
    return found
