"""Writers, readers and owners of a table are never kept waiting; a build that meets them gives up and cleans up."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from msgspec.structs import replace

from galvo import GalvoError
from galvo_index.apply.journal import Journal
from galvo_index.apply.run import apply, changing
from galvo_index.apply.undo import undo
from tests.plugins.index.apply.kills import QUICK, check, wishes

pytestmark = pytest.mark.anyio
LIMITS = replace(QUICK, lock=0.5, tries=2, turn=0.0)


async def write(dsn: str, started: asyncio.Event, stop: asyncio.Event) -> int:
    """Insert until told to stop; the server itself refuses to wait longer than the lock timeout of the builds."""
    writer = await asyncpg.connect(dsn, server_settings={"lock_timeout": f"{LIMITS.lock * 1000:.0f}ms"})
    count = 0
    try:
        while not stop.is_set():
            count += 1
            await writer.execute("insert into item values ($1, 'w', 1)", 1_000_000 + count)
            started.set()
    finally:
        await writer.close()
    return count


async def test_behind_a_long_writer(dsn: str, connection: asyncpg.Connection) -> None:
    """The build fails in time, its INVALID index cannot be dropped yet, and other writers never wait."""
    long = await asyncpg.connect(dsn)
    transaction = long.transaction()
    await transaction.start()
    await long.execute("update item set price = 1 where id = 1")
    started, stop = asyncio.Event(), asyncio.Event()
    writing = asyncio.create_task(write(dsn, started, stop))
    await started.wait()
    _, (outcome,) = await apply(lambda: asyncpg.connect(dsn), wishes(), LIMITS)
    assert not outcome.built
    assert "longer than the lock timeout of 0.5 s" in outcome.text
    assert "could not be dropped in 2 attempts" in outcome.text
    (entry,) = await Journal(connection).entries()
    assert entry.state == "dropping"
    said, _ = await apply(lambda: asyncpg.connect(dsn), [], LIMITS)
    assert "could not be dropped" in said[0]
    await transaction.rollback()
    await long.close()
    said, _ = await apply(lambda: asyncpg.connect(dsn), [], LIMITS)
    assert said == [f"{entry.name} on public.item was half dropped, and is gone"]
    await check(connection)
    _, (outcome,) = await apply(lambda: asyncpg.connect(dsn), wishes(), LIMITS)
    assert outcome.built
    stop.set()
    assert await writing > 1
    await check(connection)


async def test_who_alters_the_table_is_let_pass(dsn: str, connection: asyncpg.Connection) -> None:
    """A build holds no lock against writers; but they would queue behind an ALTER TABLE that waits for the build."""
    await connection.execute(
        """
        create function slow(int) returns int immutable language plpgsql as
        $$ begin perform pg_sleep(0.05); return $1; end $$
        """
    )
    building = asyncio.create_task(
        apply(lambda: asyncpg.connect(dsn), wishes("create index on item (public.slow(price))"), LIMITS)
    )
    looking = "select count(*) from pg_stat_progress_create_index where command = 'CREATE INDEX CONCURRENTLY'"
    while not await connection.fetchval(looking):  # the journal has an index, too
        assert not building.done(), building.result()
    started, stop = asyncio.Event(), asyncio.Event()
    writing = asyncio.create_task(write(dsn, started, stop))
    await started.wait()
    await connection.execute("alter table item add column more int")
    _, (outcome,) = await building
    assert "somebody waited behind it" in outcome.text
    stop.set()
    assert await writing > 1
    await check(connection)


async def test_old_transactions_are_named(dsn: str, connection: asyncpg.Connection) -> None:
    old = await asyncpg.connect(dsn, server_settings={"application_name": "report"})
    transaction = old.transaction(isolation="repeatable_read")
    await transaction.start()
    await old.fetch("select 1")
    _, (outcome,) = await apply(lambda: asyncpg.connect(dsn), wishes(), replace(LIMITS, transaction=0.0))
    assert outcome.text.startswith(f"pid {old.get_server_pid()} (postgres, 'report', idle in transaction) has been in")
    (entry,) = await Journal(connection).entries()
    assert (entry.state, entry.note) == ("failed", outcome.text)
    await transaction.rollback()
    await old.close()


async def test_another_galvo_is_told(dsn: str, connection: asyncpg.Connection) -> None:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn)

    async with changing(connect, LIMITS) as holder:
        with pytest.raises(
            GalvoError, match=rf"another session \(pid {holder.get_server_pid()}, 'galvo index apply'\)"
        ):
            await apply(connect, wishes(), LIMITS)
        waiting = asyncio.create_task(apply(connect, wishes(), replace(LIMITS, turn=20.0)))
        await asyncio.sleep(0)
    _, (outcome,) = await waiting
    assert outcome.built
    assert await undo(connect, LIMITS)
    await check(connection)


async def test_a_build_may_take_only_so_long(dsn: str, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "create function slow(int) returns int immutable language plpgsql as "
        "$$ begin perform pg_sleep(0.05); return $1; end $$"
    )
    limits = replace(LIMITS, statement=0.3)
    _, (outcome,) = await apply(
        lambda: asyncpg.connect(dsn), wishes("create index on item (public.slow(price))"), limits
    )
    assert "took too long" in outcome.text
    await check(connection)
