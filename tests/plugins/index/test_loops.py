"""The plugin's loops: nothing without being told, and what is told is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from galvo_index.advise import Advice
from galvo_index.apply import auto as applying
from galvo_index.apply.create_index import parsed
from galvo_index.settings import IndexSettings
from galvo_index.upkeep import auto as keeping

pytestmark = pytest.mark.anyio
ALWAYS = "00:00-00:00"


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "create table item (id int, price int) with (autovacuum_enabled = off);"
        "insert into item select g, g from generate_series(1, 5000) g; select pg_stat_force_next_flush()"
    )
    yield connection
    await connection.close()


@pytest.fixture
def context(dsn: str) -> Any:
    """As much of the kernel's as the loops ask for."""
    pool = SimpleNamespace(connect=lambda: asyncpg.connect(dsn))
    return SimpleNamespace(capability={"pool": pool}.__getitem__, log=logging.getLogger("galvo.index"))


async def advise(_: asyncpg.Connection, budget: int) -> Sequence[Advice]:
    return [Advice(definition, 0, (), "hypopg") for definition in parsed("create index on item (price)")]


async def until(running: Awaitable[None], done: Callable[[], Awaitable[object]]) -> None:
    task = asyncio.ensure_future(running)
    while not await done():
        assert not task.done(), task.result()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_nothing_by_default(context: Any) -> None:
    """They end at once, without asking for a connection."""
    nobody = SimpleNamespace(log=context.log)
    await applying.run(nobody, IndexSettings(), advise)  # type: ignore[arg-type]
    await keeping.run(nobody, IndexSettings())  # type: ignore[arg-type]


async def test_apply(context: Any, connection: asyncpg.Connection) -> None:
    settings = IndexSettings.model_validate({"apply": "auto", "apply_tables": ["public.item"], "off_peak": ALWAYS})

    async def built() -> object:
        return await connection.fetchval(
            "select count(*) from pg_index where indrelid = 'item'::regclass and indisvalid "
            "and obj_description(indexrelid) like 'galvo: %'"
        )

    await until(applying.run(context, settings, advise), built)


async def test_upkeep(context: Any, connection: asyncpg.Connection) -> None:
    settings = IndexSettings.model_validate({"upkeep": True, "off_peak": ALWAYS})

    async def done() -> object:
        return await connection.fetchval("select vacuum_count from pg_stat_user_tables where relname = 'item'")

    await until(keeping.run(context, settings), done)


async def test_a_database_that_is_away(context: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A database that cannot be reached is a warning, and no end of the loop."""

    async def away() -> asyncpg.Connection:
        raise OSError("nobody there")

    context.capability = lambda _: SimpleNamespace(connect=away)
    settings = IndexSettings.model_validate({"upkeep": True, "off_peak": ALWAYS})

    async def warned() -> bool:
        await asyncio.sleep(0)
        return "tables are not looked after now: nobody there" in caplog.text

    await until(keeping.run(context, settings), warned)


def test_auto_needs_tables() -> None:
    with pytest.raises(ValueError, match="needs apply_tables: say which tables may get indexes"):
        IndexSettings.model_validate({"apply": "auto"})
    with pytest.raises(ValueError, match="are no hours of the day"):
        IndexSettings.model_validate({"off_peak": "at night"})
