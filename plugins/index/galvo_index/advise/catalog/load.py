"""Loads the tables that a workload names: a handful of queries, however many tables there are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from galvo_index.advise.catalog import sql
from galvo_index.advise.catalog.table import PAGE, TUPLE, Column, Index, Table

LEAST_PAGES = 128
"""A smaller table (1 MB) is read as fast without an index."""
MOST_LEAVES = 64
"""Partitions of one table that hypothetical indexes are made for."""
_NO_EQUAL_IMAGE = {"numeric", "float4", "float8", "jsonb", "record"}
_FOREIGN, _VIEW, _PARTITIONED = "f", "v", "p"


@dataclass(slots=True)
class Catalog:
    version: int
    replica: bool
    hypopg: str | None
    """The schema of the extension, as in SQL; so is the next."""
    trigrams: str | None
    temporary: bool
    cache: float
    """Bytes, effective_cache_size."""
    buffers: float
    """Bytes, shared_buffers."""
    names: dict[str, int] = field(default_factory=dict)
    tables: dict[int, Table] = field(default_factory=dict)

    def find(self, name: str) -> Table | None:
        """By a quoted name, with or without its schema."""
        return self.tables.get(self.names.get(name, 0))


async def start(connection: asyncpg.Connection) -> Catalog:
    async with trusted(connection):
        [row] = await connection.fetch(sql.SETTINGS)
    return Catalog(**dict(row))


@asynccontextmanager
async def trusted(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """With a search_path on which nobody else's operators and functions are."""
    before = await connection.fetchval("select pg_catalog.current_setting('search_path')")
    change = "select pg_catalog.set_config('search_path', $1, false)"
    await connection.execute(change, "pg_catalog")
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(change, before)


async def add(catalog: Catalog, connection: asyncpg.Connection, names: Iterable[str]) -> None:
    """Learn about tables by quoted names; unknown ones are left out."""
    asked = sorted(set(names) - catalog.names.keys())
    found = {row["name"]: row["oid"] for row in await connection.fetch(sql.NAMES, asked)}
    catalog.names |= found
    oids = sorted(set(found.values()) - catalog.tables.keys())
    if oids:
        async with trusted(connection):
            await _learn(catalog, connection, oids)


async def _learn(catalog: Catalog, connection: asyncpg.Connection, oids: Sequence[int]) -> None:
    rows = {row["oid"]: row for row in await connection.fetch(sql.TABLES, oids)}
    parents = [oid for oid, row in rows.items() if row["kind"] == _PARTITIONED]
    leaves: dict[int, list[int]] = defaultdict(list)
    for root, leaf in await connection.fetch(sql.LEAVES, parents) if parents else ():
        leaves[root].append(leaf)
    further = sorted({leaf for several in leaves.values() for leaf in several} - rows.keys())
    rows |= {row["oid"]: row for row in await connection.fetch(sql.TABLES, further)} if further else {}
    columns, indexes = defaultdict(list), defaultdict(list)
    for row in await connection.fetch(sql.COLUMNS, list(rows)):
        columns[row["oid"]].append(row)
    for row in await connection.fetch(sql.INDEXES, list(rows)):
        indexes[row["oid"]].append(_index(row))
    for oid, row in rows.items():
        try:
            blocks = (await connection.fetchval(sql.SIZE, oid) or 0) // PAGE
        except asyncpg.LockNotAvailableError:
            blocks = None
        catalog.tables[oid] = _table(row, blocks, columns[oid], indexes[oid])
    for root, several in leaves.items():
        _gather(catalog.tables[root], [catalog.tables[leaf] for leaf in several])


def _table(row: Any, blocks: int | None, columns: Sequence[Any], indexes: Sequence[Index]) -> Table:
    pages = max(row["pages"], blocks or 0)
    count = row["rows"]
    if blocks and row["pages"] and count:
        count *= blocks / row["pages"]  # as the planner does
    elif blocks:
        count = blocks * PAGE / (TUPLE + sum(_width(one) for one in columns))  # never analysed
    return Table(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        plain=row["plain"],
        kind=row["kind"],
        rows=count,
        pages=pages,
        visible=row["visible"],
        columns={one["name"]: _column(one, count) for one in columns},
        indexes=indexes,
        refused=_refused(row, pages, blocks is None),
        view=row["view"] or "",
        inserted=row["inserted"],
        updated=row["updated"],
        hot=row["hot"],
        deleted=row["deleted"],
        scans=row["scans"],
        quoted={one["name"]: one["quoted"] for one in columns},
    )


def _refused(row: Any, pages: int, locked: bool) -> str:
    reasons = {
        "it is a view": row["kind"] == _VIEW,
        "it is a foreign table: index it where its rows are": row["kind"] == _FOREIGN,
        "it belongs to the system": row["system"],
        "it belongs to an extension": row["extension"],
        "it is a temporary table": row["persistence"] == "t",
        "it is no table": row["kind"] not in "rmpvf",
        "it is locked": locked,
        "it is small": pages < LEAST_PAGES and row["kind"] != _PARTITIONED,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _gather(parent: Table, leaves: list[Table]) -> None:
    """A partitioned table is as large as its partitions."""
    parent.pages = sum(leaf.pages for leaf in leaves)
    parent.rows = sum(leaf.rows for leaf in leaves)
    for name in ("inserted", "updated", "hot", "deleted", "scans"):
        setattr(parent, name, sum(getattr(leaf, name) for leaf in leaves))
    parent.visible = sum(leaf.visible * leaf.pages for leaf in leaves) / max(parent.pages, 1)
    parent.leaves = leaves
    if parent.pages < LEAST_PAGES:
        parent.refused = parent.refused or "it is small"
    elif len(leaves) > MOST_LEAVES:
        parent.refused = parent.refused or f"it has {len(leaves)} partitions, and the advisor tries {MOST_LEAVES}"


def _column(row: Any, rows: float) -> Column:
    distinct = row["distinct"]
    if distinct is None:
        distinct = min(rows, 200)  # as the planner supposes
    elif distinct < 0:
        distinct = -distinct * rows
    return Column(
        name=row["name"],
        number=row["number"],
        type=row["type"],
        category=row["category"],
        length=row["length"],
        align=row["align"],
        width=_width(row),
        distinct=max(1.0, float(distinct)),
        nulls=row["nulls"] or 0.0,
        correlation=row["correlation"] if row["correlation"] is not None and math.isfinite(row["correlation"]) else 0.0,
        common=dict(zip(row["common"] or (), row["frequencies"] or (), strict=False)),
        sortable=row["sortable"],
        deduplicates=row["deterministic"] and row["type"] not in _NO_EQUAL_IMAGE and row["category"] not in "AR",
    )


def _width(row: Any) -> float:
    """Bytes; 32 where nothing is known."""
    return float(row["width"] if row["width"] is not None else row["length"] if row["length"] > 0 else 32)


def _index(row: Any) -> Index:
    printed: list[str] = []
    for number, text in enumerate(row["columns"]):
        if number >= row["keys"]:
            printed.append(text)
            continue
        option = row["options"][number]
        direction = {0: "", 1: " DESC NULLS LAST", 2: " NULLS FIRST", 3: " DESC"}[option]
        printed.append(f"{text}{row['classes'][number]}{direction}")
    return Index(
        name=row["name"],
        keys=tuple(printed[: row["keys"]]),
        include=tuple(printed[row["keys"] :]),
        where=row["predicate"],
        method=row["method"],
        unique=row["unique"],
    )
