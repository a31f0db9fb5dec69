"""What a statement does with the columns of one mention of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from galvo_index.advise.catalog.table import Table

Kind = Literal["equal", "in", "range", "join", "null", "notnull", "true", "false", "prefix", "like", "contains"]
EXACT = ("equal", "in", "join", "null", "true", "false")
"""A column of such a condition may be followed by another one in a B-tree."""
RANGE = ("range", "prefix")


class Key(NamedTuple):
    """Something that can be a key of an index."""

    text: str
    """As in SQL: a column, or an expression in parentheses."""
    columns: tuple[str, ...]
    plain: bool
    """It is a column."""


@dataclass(slots=True, eq=False)
class Condition:
    key: Key
    kind: Kind
    literal: str | None = None
    """What it is compared with, when that is a literal."""
    parameter: int = 0
    """... or an argument, from 1."""
    sql: str = ""
    """The condition, for the predicate of a partial index; empty: no literal in it."""
    operator: str = ""
    other: tuple[Use, Key] | None = None
    """What a join compares it with."""


class Order(NamedTuple):
    key: Key
    down: bool
    nulls: str
    """`first`, `last`, or empty: as usual."""


@dataclass(slots=True, eq=False)
class Use:
    table: Table
    conditions: list[Condition] = field(default_factory=list)
    arms: list[list[Condition]] = field(default_factory=list)
    """Of an OR over different columns, which only a bitmap scan of several indexes serves."""
    order: list[Order] = field(default_factory=list)
    group: list[Key] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    """All that are read."""
    whole: bool = False
    """All columns are read, or the row itself is changed."""


class Write(NamedTuple):
    """What one call of a statement changes."""

    verb: Literal["insert", "update", "delete"]
    table: Table
    columns: frozenset[str]
    """Those that an update sets."""


@dataclass(slots=True)
class Reading:
    """What is known of a statement from its text."""

    uses: list[Use] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    parameters: int = 0
    problem: str = ""
    """Why it cannot be advised on."""
    tree: Any = None
