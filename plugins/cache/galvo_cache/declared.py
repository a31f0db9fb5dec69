"""What the user says of code that the analysis cannot read: promises, believed as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

Strings = Mapping[str, Sequence[str]]
Find = Callable[[str], int | None]


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """Promises about functions, triggers and row-level security, by name.

    `effects`: a function (`audit`, `public.audit`) or a trigger (`t on public.part`) -> the tables that it changes
    at most; its cascades are followed. `reads`: a STABLE or IMMUTABLE function -> the tables its answer depends on,
    besides its arguments and the session's settings; calls of it may be cached. `session_inputs`: a table with
    row-level security -> the settings that its policies read; `role` admits CURRENT_USER.
    """

    effects: Strings = field(default_factory=dict)
    reads: Strings = field(default_factory=dict)
    session_inputs: Strings = field(default_factory=dict)


class Promises:
    """A declaration, resolved by one catalog. `mistakes` has one sentence for each part that is not believed."""

    __slots__ = ("_effects", "_on", "_reads", "_schemas", "inputs", "mistakes")

    def __init__(
        self,
        declared: Declared,
        functions: Mapping[str, Mapping[str, str]],
        triggers: Collection[tuple[str, int]],
        find: Find,
    ) -> None:
        """`functions`: name -> schema -> the worst volatility of its versions; `triggers`: name and table; `find`: a
        table's OID by its name."""
        self._schemas = functions
        self._effects: dict[tuple[str, str], frozenset[int]] = {}
        self._on: dict[tuple[str, int], frozenset[int]] = {}
        self._reads: dict[tuple[str, str], frozenset[int]] = {}
        self.inputs: dict[int, tuple[str, ...]] = {}
        self.mistakes: list[str] = []
        for name, tables in declared.effects.items():
            trigger, on, table = name.partition(" on ")
            oids = self._tables("effects", name, tables, find)
            if on:
                for oid in self._tables("effects", name, [table], find) or ():
                    if (trigger, oid) not in triggers:
                        self.mistakes.append(f"effects: {table!r} has no trigger {trigger!r}")
                    elif oids is not None:
                        self._on[trigger, oid] = oids
            elif (function := self._function("effects", name)) and oids is not None:
                self._effects[function] = oids
        for name, tables in declared.reads.items():
            oids = self._tables("reads", name, tables, find)
            function = self._function("reads", name)
            if function and functions[function[1]][function[0]] == "v":
                self.mistakes.append(f"reads: {name!r} is a VOLATILE function; declare it STABLE in the database")
            elif function and oids is not None:
                self._reads[function] = oids
        for table, names in declared.session_inputs.items():
            for oid in self._tables("session_inputs", table, [table], find) or ():
                self.inputs[oid] = tuple(names)

    def trigger(self, table: int, name: str, schema: str, function: str) -> frozenset[int] | None:
        """The tables that a trigger changes; None when nobody says."""
        if schema == "pg_catalog":  # these set columns of the row or drop it, no more
            return frozenset()
        return self._on.get((name, table), self._effects.get((schema, function)))

    def effects(self, schema: str | None, name: str) -> frozenset[int] | None:
        """The tables that a call of any function of this name changes; None when that is not known of all."""
        found = [self._quiet((place, name)) for place in self._places(schema, name)]
        known = [tables for tables in found if tables is not None]
        return frozenset[int]().union(*known) if found and len(known) == len(found) else None

    def reads(self, schema: str | None, name: str) -> frozenset[int] | None:
        """The tables that the answer of any function of this name depends on; None when that is not known of all."""
        found = [self._reads.get((place, name)) for place in self._places(schema, name)]
        known = [tables for tables in found if tables is not None]
        return frozenset[int]().union(*known) if found and len(known) == len(found) else None

    def _places(self, schema: str | None, name: str) -> list[str]:
        return [place for place in self._schemas.get(name, ()) if schema in (None, place)]

    def _quiet(self, function: tuple[str, str]) -> frozenset[int] | None:
        return self._effects.get(function, frozenset() if function in self._reads else None)

    def _function(self, part: str, name: str) -> tuple[str, str] | None:
        schema, _, bare = name.rpartition(".")
        places = self._places(schema or None, bare)
        if len(places) == 1:
            return places[0], bare
        why = f"is in {' and '.join(sorted(places))}; say which" if places else "is not a function of this database"
        self.mistakes.append(f"{part}: {name!r} {why}")
        return None

    def _tables(self, part: str, name: str, tables: Sequence[str], find: Find) -> frozenset[int] | None:
        oids = {table: find(table) for table in tables}
        missing = sorted(table for table, oid in oids.items() if oid is None)
        for table in missing:
            of = f" of {name!r}" if table != name else ""
            self.mistakes.append(f"{part}: the table {table!r}{of} is not in this database")
        return None if missing else frozenset(oid for oid in oids.values() if oid is not None)
