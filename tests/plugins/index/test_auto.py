"""The plugin in a kernel, told to build what helps and to look after tables."""

from __future__ import annotations

import anyio
import asyncpg
import pytest

from galvo import Kernel, SettingsError
from galvo_index import IndexPlugin
from galvo_index.apply import auto
from galvo_pool import PoolPlugin

pytestmark = pytest.mark.anyio
TABLE = """
create table part (id int primary key, project int not null, note text not null);
insert into part select n, n % 5000, repeat('x', 100) from generate_series(1, 60000) n;
analyze part
"""
BUILT = "select i.relname from pg_index x join pg_class i on i.oid = indexrelid where indrelid = 'part'::regclass"


async def test_an_index_is_built_by_itself_when_told_so(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "PAUSE", 0.2)
    told = {"apply": "auto", "apply_tables": ["public.*"], "apply_window": 1e-5, "off_peak": "00:00-00:00"}
    async with Kernel.of({IndexPlugin: told, PoolPlugin: {"url": dsn}}) as kernel:
        await kernel.execute(TABLE)
        with anyio.fail_after(100):
            while True:
                for project in range(20):
                    await kernel.fetch("select note from part where project = $1", project)
                if any(name.startswith("galvo_") for (name,) in await kernel.fetch(BUILT)):
                    break
    connection = await asyncpg.connect(dsn)
    try:
        definition = await connection.fetchval("select definition from galvo.index_journal")
        assert "on public.part (project)" in definition
    finally:
        await connection.close()


async def test_nothing_is_built_unless_told(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "PAUSE", 0.1)
    async with Kernel.of({IndexPlugin: {}, PoolPlugin: {"url": dsn}}) as kernel:
        await kernel.execute(TABLE)
        for project in range(50):
            await kernel.fetch("select note from part where project = $1", project)
        await anyio.sleep(0.5)
        assert [name for (name,) in await kernel.fetch(BUILT)] == ["part_pkey"]
        assert await kernel.fetchval("select to_regnamespace('galvo') is null")


def test_building_by_itself_needs_to_be_told_where() -> None:
    with pytest.raises(SettingsError, match='apply = "auto" needs apply_tables'):
        Kernel.of({IndexPlugin: {"apply": "auto"}, PoolPlugin: {}})
