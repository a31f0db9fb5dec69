"""How far a write reaches: partitions, foreign keys, updatable views, declared triggers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Verb = Literal["insert", "update", "delete", "change", "truncate", "truncate_cascade"]
"""`change` is any of the first three, `truncate_cascade` is TRUNCATE ... CASCADE."""


class Step(NamedTuple):
    """Something that happens to rows of a relation; `columns` are those of an update, None for any."""

    oid: int
    verb: Verb
    columns: frozenset[str] | None = None


class Key(NamedTuple):
    """A foreign key. The actions are pg_constraint's letters: c, n and d change the child's rows."""

    child: int
    parent: int
    on_delete: str
    on_update: str
    refers: Collection[str]
    referred: Collection[str]


_ACTIONS = ("c", "n", "d")


@dataclass(frozen=True, slots=True)
class Graph:
    """What leads from one relation to others, by OID."""

    kinds: Mapping[int, str]
    children: Mapping[int, Sequence[int]]
    """The direct partitions and heirs."""
    keys: Iterable[Key]
    bases: Mapping[int, Collection[int]]
    """What a view reads, and so at most what writing it writes."""
    triggers: Mapping[int, frozenset[int]]
    """Of each table with triggers that are declared: the tables they change."""
    generated: Mapping[int, frozenset[str]]
    unknown: Collection[int]
    """Writing one of these may do anything."""


class Closures:
    """Reachability over a Graph."""

    __slots__ = ("_graph", "_keys", "_known")

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._keys: dict[int, list[Key]] = {}
        self._known: dict[Step, tuple[frozenset[int] | None, bool]] = {}
        for key in graph.keys:
            self._keys.setdefault(key.parent, []).append(key)

    def reach(self, oid: int, verb: Verb, columns: Collection[str] | None) -> frozenset[int] | None:
        """Whose rows may change when rows of `oid` are written; None when that cannot be known."""
        return self._find(oid, verb, columns)[0]

    def exact(self, oid: int, verb: Verb, columns: Collection[str] | None) -> bool:
        """Does the write change no other rows of `oid` than its text says, nor in other columns?"""
        return not self._find(oid, verb, columns)[1] and oid not in self._graph.triggers

    def _find(self, oid: int, verb: Verb, columns: Collection[str] | None) -> tuple[frozenset[int] | None, bool]:
        first = self._step(oid, verb, columns)
        if first not in self._known:
            self._known[first] = self._spread(first)
        return self._known[first]

    def _step(self, oid: int, verb: Verb, columns: Collection[str] | None = None) -> Step:
        if verb != "update" or columns is None or oid in self._graph.triggers:  # a trigger may set other columns
            return Step(oid, verb)
        return Step(oid, verb, frozenset(columns) | self._graph.generated.get(oid, frozenset()))

    def _spread(self, first: Step) -> tuple[frozenset[int] | None, bool]:
        again, seen, todo = False, {first}, [first]
        while todo:
            step = todo.pop()
            if step.oid in self._graph.unknown:
                return None, True
            again |= any(follower.oid == first.oid for follower in self._consequences(step))
            for follower in self._followers(step):
                if follower not in seen:
                    seen.add(follower)
                    todo.append(follower)
        return frozenset(step.oid for step in seen if self._graph.kinds.get(step.oid) != "v"), again

    def _followers(self, step: Step) -> Iterator[Step]:
        graph, (oid, verb, columns) = self._graph, step
        if verb == "change":
            yield from (Step(oid, "insert"), Step(oid, "update"), Step(oid, "delete"))
            return
        kind = graph.kinds.get(oid)
        if kind == "v":
            yield from (Step(base, verb) for base in graph.bases.get(oid, ()))
            return
        if verb != "insert" or kind == "p":  # a row goes to a partition, but not to an heir
            yield from (self._step(child, verb, columns) for child in graph.children.get(oid, ()))
        if verb == "update" and kind == "p":
            yield Step(oid, "delete")  # moving a row to another partition was one before PostgreSQL 15
        yield from self._consequences(step)

    def _consequences(self, step: Step) -> Iterator[Step]:
        """What triggers and the foreign keys that refer to the table do."""
        yield from (Step(table, "change") for table in self._graph.triggers.get(step.oid, ()))
        for key in self._keys.get(step.oid, ()):
            match step.verb:
                case "truncate_cascade":
                    yield Step(key.child, "truncate_cascade")
                case "delete" if key.on_delete == "c":
                    yield Step(key.child, "delete")
                case "delete" if key.on_delete in _ACTIONS:
                    yield self._step(key.child, "update", key.refers)
                case "update" if key.on_update in _ACTIONS and _touches(step.columns, key.referred):
                    yield self._step(key.child, "update", key.refers)
                case _:
                    pass


def _touches(columns: frozenset[str] | None, referred: Collection[str]) -> bool:
    return columns is None or not columns.isdisjoint(referred)


def reached(start: int, edges: Mapping[int, Collection[int]]) -> set[int]:
    """The start and all that the edges lead to."""
    seen = {start}
    todo = [start]
    while todo:
        for oid in edges.get(todo.pop(), ()):
            if oid not in seen:
                seen.add(oid)
                todo.append(oid)
    return seen
