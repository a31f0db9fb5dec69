"""An immutable snapshot of what the database's catalog says about names, code and consequences."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from copy import copy
from typing import Any

from galvo_cache.allowed import IMPLIED_OPERATORS
from galvo_cache.assembly import Assembly, Relation
from galvo_cache.catalog_sql import CATALOG_SQL
from galvo_cache.closures import Verb
from galvo_cache.declared import Declared, Promises
from galvo_cache.scopes import KINDS, Scope

__all__ = ["CATALOG_SQL", "Catalog", "Declared", "Relation"]

BACKSLASHES = "standard_conforming_strings"
"""The hazard of a server on which a backslash may go before a quote that ends nothing."""


class Catalog:
    """What one session's catalog and search_path looked like at one moment."""

    __slots__ = (
        "_closures",
        "_declared",
        "_doubting",
        "_facts",
        "_loud",
        "_names",
        "_opaque",
        "_promises",
        "_relations",
        "_scopes",
        "_temporary",
        "_trees",
        "_type_names",
        "builtins",
        "digest",
        "encoding",
        "fields",
        "functions",
        "hazard",
        "immutable",
        "operators",
        "search_path",
        "session",
        "stable",
        "time_types",
        "volatile",
    )

    def __init__(self, facts: Mapping[str, Any], digest: str, declared: Declared | None = None) -> None:
        """Use `load`."""
        self.digest = digest
        self.search_path: tuple[str, ...] = tuple(facts["path"])
        self._temporary = frozenset(place for place in self.search_path if place.startswith("pg_temp_"))
        self.session: list[Any] = facts["session"]
        """The user, the session's user and the values of SESSION_SETTINGS where no session has changed anything."""
        self.encoding: str = facts["encoding"]
        self.immutable = frozenset[str](facts["immutable"])
        self.stable = frozenset[str](facts["stable"])
        self.volatile = frozenset[str](facts["volatile"])
        functions = facts["functions"] or ()
        self.builtins = self.immutable | self.stable | self.volatile
        # name -> may it run code that we cannot know?
        self.functions: dict[str, bool] = {name: loud for name, loud, *_ in functions}
        # `row.name` calls these when there is no such column
        self.fields = frozenset(name for name, _, field, _ in functions if field)
        self.operators = frozenset[str](facts["operators"] or ())
        self.hazard = self._find_hazard(facts)
        self._names = {(row[1], row[2]): row[0] for row in facts["relations"]}
        self._declared = declared or Declared()
        promised = self._declared.effects or self._declared.reads
        self._facts = facts if promised else None
        self._doubting: Catalog | None = None
        self._promises = Promises(
            self._declared,
            {name: schemas for name, _, _, schemas in functions},
            {(trigger[0], row[0]) for row in facts["relations"] for trigger in row[5] or ()},
            self._find_table,
        )
        made = Assembly(facts, self._promises)
        self._relations = made.relations
        self._closures = made.closures
        self._scopes = made.scopes
        self._trees = made.trees
        self._opaque = made.opaque
        self._loud = frozenset(relation.name for relation in made.relations.values() if not relation.inert)
        self._type_names = made.type_names
        self.time_types = made.time_types

    @classmethod
    def load(cls, answer: str, declared: Declared | None = None) -> Catalog:
        """Build the snapshot from the answer to CATALOG_SQL, and from what the user says of opaque code."""
        return cls(json.loads(answer), hashlib.blake2b(answer.encode(), digest_size=16).hexdigest(), declared)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """One sentence for each part of the declaration that does not fit this database, and is not believed."""
        return tuple(self._promises.mistakes)

    def under(self, path: tuple[str, ...]) -> Catalog:
        """The same snapshot for a session with another search_path, as current_schemas(true) gives it."""
        if path == self.search_path:
            return self
        other = copy(self._doubted())
        other.search_path = path
        return other

    def _doubted(self) -> Catalog:
        """Without what was promised of functions: under another search_path their bodies may mean other tables."""
        if self._doubting is None and self._facts is not None:
            self._doubting = Catalog(self._facts, self.digest, Declared(session_inputs=self._declared.session_inputs))
        return self._doubting or self

    def resolve(self, schema: str | None, name: str) -> Relation | None:
        """Return the relation that a session with this search_path means by a name."""
        if schema is not None:
            return self.relation(self._names.get((schema, name), 0))
        for place in self.search_path:
            if (oid := self._names.get((place, name))) is not None:
                return self.relation(oid)
            if place.startswith("pg_temp_") and place not in self._temporary:
                return None  # another session's temporary tables are not in the snapshot, and may be meant
        return None

    def loud(self, schema: str | None, name: str) -> bool:
        """May reading what a name means run the user's code? Of one that could mean anything: in any schema."""
        relation = self.resolve(schema, name)
        return not relation.inert if relation is not None else schema is None and name in self._loud

    def relation(self, oid: int) -> Relation | None:
        """Return a relation by OID."""
        return self._relations.get(oid)

    def namesakes(self, tables: Collection[int]) -> list[int]:
        """The relations of other schemas that are named like one of `tables`."""
        names = {relation.name for oid in tables if (relation := self._relations.get(oid)) is not None}
        return [oid for (_, name), oid in self._names.items() if name in names and oid not in tables]

    def scope(self, oid: int, only: bool = False) -> Scope:
        """What the answer of reading `oid` depends on; `only` as in FROM ONLY."""
        return self._scopes.scope(oid, only)

    def reach(self, oid: int, verb: Verb, columns: Collection[str] | None = None) -> frozenset[int] | None:
        """Whose rows may change when rows of `oid` are written; an update sets `columns` (None: any).

        None when that cannot be known.
        """
        return self._closures.reach(oid, verb, columns)

    def exact(self, oid: int, verb: Verb, columns: Collection[str] | None = None) -> bool:
        """Does such a write change those rows of `oid` only that its text names, and those columns?"""
        return self._closures.exact(oid, verb, columns)

    def refreshes(self, oid: int) -> bool:
        """Does REFRESH MATERIALIZED VIEW of `oid` change its rows and nothing else?"""
        relation = self._relations.get(oid)
        if relation is None or relation.kind != "m" or relation.unknown != KINDS["m"] or oid in self._opaque:
            return False
        read = [self._relations.get(other) for tree in self._trees.get(oid, ()) for other in tree.relations]
        return all(other is not None and other.inert and other.kind != "f" for other in read)

    def effects(self, schema: str | None, name: str) -> frozenset[int] | None:
        """The tables that calling the user's functions of a name changes, if that is declared."""
        tables = self._promises.effects(schema, name)
        if tables is None:
            return None
        found: set[int] = set()
        for table in tables:
            reached = self.reach(table, "change")
            if reached is None:
                return None
            found |= reached
        return frozenset(found)

    def reads(self, schema: str | None, name: str) -> frozenset[int] | None:
        """The tables that the answer of the user's functions of a name depends on, if that is declared."""
        return self._promises.reads(schema, name)

    def user_type(self, name: str) -> str:
        """Classify the user's types of a name, in any schema: enum, quiet, loud, or "" for none."""
        return self._type_names.get(name, "")

    def _find_table(self, name: str) -> int | None:
        schema, _, table = name.rpartition(".")
        places = [schema] if schema else self.search_path
        return next((self._names[place, table] for place in places if (place, table) in self._names), None)

    @staticmethod
    def _find_hazard(facts: Mapping[str, Any]) -> str:
        """Code of the user that runs where a statement does not name it."""
        if facts["strings"] != "on":
            return BACKSLASHES
        if facts["casts"]:
            return "user_cast"
        if facts["families"]:
            return "user_operator_class"
        if not IMPLIED_OPERATORS.isdisjoint(facts["operators"] or ()):
            return "user_operator"
        return ""
