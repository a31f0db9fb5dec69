"""When what was seen of a row is not believed, and a look-up not waited for."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from galvo import Level, MemoryPressure
from galvo_cache import facts, touching
from tests.plugins.cache.stand import standing
from tests.plugins.cache.test_lookups import BY_OWNER, SETUP, SHOWS, WRITE, kept, ready, touched, warm

pytestmark = pytest.mark.anyio


async def test_what_is_known_grows_old(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers outside galvo, of whom nobody tells, bound it like every answer."""
    now = [facts.monotonic()]
    monkeypatch.setattr(facts, "monotonic", lambda: now[0])
    async with standing(dsn, {"ttl": 100}, setup=SETUP) as stand:
        await ready(stand)
        await stand.kernel.fetch(SHOWS, "p1")
        now[0] += 49
        await touched(stand, "p1")
        assert stand["lookups"] == 1
        now[0] += 52
        await touched(stand, "p1")
        assert stand["lookups"] == 2


async def test_without_a_lease_nothing_is_remembered_or_asked(dsn: str) -> None:
    """Somebody may move the row, and could not tell us."""
    async with standing(dsn, setup=SETUP) as stand:
        await ready(stand)
        await stand.kernel.fetch(SHOWS, "p1")
        lease = stand.kernel.find_capability("cache")._trusted
        lease(0.0)
        await stand.kernel.execute(WRITE, "p1")
        lease(float("inf"))
        assert [await kept(stand, BY_OWNER, owner) for owner in (0, 1, 2)] == [False] * 3
        assert (stand["lookups"], stand["lookups_known"]) == (1, 0)


async def test_memory_pressure(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        await ready(stand)
        await stand.kernel.fetch(SHOWS, "p1")
        await stand.kernel.relieve(MemoryPressure(Level.CRITICAL))
        await stand.kernel.execute(WRITE, "p1")
        assert stand["lookups"] == 2


async def test_a_look_up_waits_as_long_as_nobody_waits_for_it(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever commits holds a connection, perhaps the last."""
    monkeypatch.setattr(touching, "PATIENCE_HOLDING", 0.0)
    async with standing(dsn, setup=SETUP) as stand:
        await ready(stand)
        assert await touched(stand, "p1") == [True, False, True]
        await warm(stand, 0, 1, 2)
        async with stand.kernel.transaction() as session:
            await session.execute(WRITE, "p2")
        assert [await kept(stand, BY_OWNER, owner) for owner in (0, 1, 2)] == [False] * 3


async def test_the_connection_is_lost_during_a_look_up(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        await ready(stand)
        stop = stand.gate.stop('from "public"."page"')
        writing = asyncio.create_task(stand.kernel.execute(WRITE, "p1"))
        await stop.reached.wait()
        pids = await stand.other.fetch(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where application_name like 'galvo%' and datname = current_database()"
        )
        assert pids
        stop.go.set()
        await asyncio.wait([writing])
        if error := writing.exception():
            assert isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError)
        for owner in (0, 1, 2):
            await stand.fresh(BY_OWNER, owner)
