"""The catalog of a real server with a schema of this folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo_cache.catalog import CATALOG_SQL, Catalog

_LOADED: dict[str, Catalog] = {}


async def _load(dsn: str, schema: str) -> Catalog:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(Path(__file__).with_name(schema).read_text())
        return Catalog.load(await connection.fetchval(CATALOG_SQL))
    finally:
        await connection.close()


def catalog_of(schema: str) -> Any:
    """A fixture. The snapshot is immutable: one database serves all tests of a process."""

    @pytest.fixture
    def catalog(request: pytest.FixtureRequest) -> Catalog:
        if schema not in _LOADED:
            _LOADED[schema] = asyncio.run(_load(request.getfixturevalue("dsn"), schema))
        return _LOADED[schema]

    return catalog


def oids(catalog: Catalog, names: str) -> frozenset[int]:
    """Of the tables `names`, with spaces between them."""
    found = set()
    for name in names.split():
        schema, _, table = name.rpartition(".") if name.startswith("other.") else ("", "", name)
        relation = catalog.resolve(schema or None, table)
        assert relation is not None, name
        found.add(relation.oid)
    return frozenset(found)
