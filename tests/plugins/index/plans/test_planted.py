"""Each planted problem is found, and nothing else; where nothing is wrong, nothing is found."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from galvo_index.finding import Finding
from galvo_index.plans.analyse import analysed
from tests.conftest import execute
from tests.plugins.index.plans.scenes import HEALTHY, ORDERS, SCENES, Scene

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=["server_dsn", "debian_server_dsn"], ids=["18", "debian"])
def shop(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with `ORDERS`, which no scene changes."""
    dsn: str = request.getfixturevalue(request.param)
    made = dsn.replace("/postgres?", "/planted?")
    asyncio.run(execute(dsn, "create database planted"))
    asyncio.run(execute(made, ORDERS))
    asyncio.run(execute(made, "vacuum orders"))
    yield made
    asyncio.run(execute(dsn, "drop database planted with (force)"))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.id)
async def test_planted(scene: Scene, shop: str) -> None:
    async with played(shop, scene) as connection:
        problem = await look(connection, scene, healthy=False)
        assert [finding.rule for finding in problem] == [scene.rule], problem
        literals = re.findall(r"'([^']+)'", scene.problem)
        assert not [text for text in literals if text in repr(problem)], "values are not shown"
        assert await look(connection, scene, healthy=True) == []
        assert bool(problem[0].sql) >= scene.sql
        if scene.sql:
            await changed(connection, problem[0])
            assert await look(connection, scene, healthy=False) == []


@pytest.mark.parametrize("sql", HEALTHY)
async def test_nothing_is_found_where_nothing_is_wrong(sql: str, shop: str) -> None:
    connection = await asyncpg.connect(shop)
    try:
        for analyze in (False, not sql.startswith(("insert", "update"))):
            assert (await analysed(connection, sql, analyze=analyze, timeout=60)).findings == []
    finally:
        await connection.close()


@asynccontextmanager
async def played(dsn: str, scene: Scene) -> AsyncIterator[asyncpg.Connection]:
    """What the scene makes is in a schema of its own, dropped at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"create schema scene; set search_path = scene, public; {scene.setup}")
        await connection.execute("select pg_stat_force_next_flush()")
        yield connection
    finally:
        await connection.execute(
            """set client_min_messages = error; drop schema scene cascade; do $$ declare one text; begin
            for one in select indexname from pg_indexes where indexname like 'galvo_%' loop
            execute 'drop index ' || one; end loop; end $$"""
        )
        await connection.close()


async def look(connection: asyncpg.Connection, scene: Scene, *, healthy: bool) -> list[Finding]:
    settings = scene.settings if healthy else (*scene.settings, *scene.problem_settings)
    sql = scene.healthy if healthy else scene.problem
    args = scene.args if "$1" in sql else ()
    found = await analysed(connection, sql, args, analyze=scene.analyze, settings=settings, timeout=60)
    return found.findings


async def changed(connection: asyncpg.Connection, finding: Finding) -> None:
    """Do as it says; a setting only takes effect for the session."""
    for sql in finding.sql.split("; "):
        await connection.execute(sql)
