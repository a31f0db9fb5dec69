"""A table with what decides about its indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PAGE = 8192
TUPLE = 28
"""Bytes of a row's header and line pointer."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    """Not quoted."""
    number: int
    type: str
    """As in pg_type, without its modifier."""
    category: str
    """pg_type.typcategory: N number, S text, D time, A array, B boolean, ..."""
    length: int
    """Bytes; -1: varying."""
    align: int
    width: float
    """Average bytes."""
    distinct: float
    """Values, never below 1."""
    nulls: float
    """Part of the rows."""
    correlation: float
    common: Mapping[str, float]
    """Most common values as text, with their part of the rows."""
    sortable: bool
    """There is a default B-tree operator class."""
    deduplicates: bool
    """Equal values are equal images, so that B-trees can store them once."""


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    keys: tuple[str, ...]
    """As pg_get_indexdef prints them, with class and direction."""
    include: tuple[str, ...]
    where: str
    method: str
    unique: bool


@dataclass(slots=True)
class Table:
    oid: int
    schema: str
    """Quoted where it has to be, as `name`."""
    name: str
    plain: str
    """Not quoted, as plans have it."""
    kind: str
    """pg_class.relkind."""
    rows: float
    pages: int
    visible: float
    """Part of the pages that are all visible; index-only scans need not look at them."""
    columns: Mapping[str, Column]
    indexes: Sequence[Index]
    refused: str = ""
    """Why no index is advised for it."""
    leaves: Sequence[Table] = ()
    """Partitions that hold rows."""
    view: str = ""
    """The query of a view."""
    inserted: float = 0.0
    """Rows since the statistics were reset; so are the others."""
    updated: float = 0.0
    hot: float = 0.0
    deleted: float = 0.0
    scans: float = 0.0
    quoted: Mapping[str, str] = field(default_factory=dict)
    """Column names as in SQL."""

    @property
    def relation(self) -> str:
        return f"{self.schema}.{self.name}"
