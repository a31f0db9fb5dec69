"""The newest connection's word counts: the cache hears of news, and what the others answer is not to be kept."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from galvo_pool import fleet
from tests.plugins.pool.heard import PID, HeardPlugin, heard, until

pytestmark = pytest.mark.anyio
ZONE = "select current_setting('timezone')"


async def test_it_is_told_before_the_first_answer(dsn: str) -> None:
    async with heard(dsn) as found:
        assert await found.kernel.fetchval(ZONE) == "UTC"
        await found.set("timezone", "Asia/Tokyo")
        pid = await found.kernel.fetchval(PID)
        found.plugin.told.clear()
        await found.end(pid)
        assert await found.kernel.fetchval(ZONE) == "Asia/Tokyo"
        assert found.plugin.told == ["suspend", "reset", "resume", ZONE]
        assert found.plugin.keep[-1]


async def test_what_the_others_answer_is_not_to_be_kept(dsn: str) -> None:
    """A session has an old connection when a new one brings news; what it still answers is its own."""
    async with heard(dsn, max_size=3) as found:
        async with found.kernel.acquire() as old:
            assert await old.fetchval(ZONE) == "UTC"
            await found.set("timezone", "Asia/Tokyo")
            found.plugin.told.clear()
            found.plugin.keep.clear()
            assert await found.kernel.fetchval(ZONE) == "Asia/Tokyo"
            assert found.plugin.told == ["reset", ZONE]
            assert await old.fetchval(ZONE) == "UTC"
            assert await old.execute("set work_mem = '1MB'") == "SET"
            assert await found.kernel.fetchval(ZONE) == "Asia/Tokyo"
            assert found.plugin.keep == [True, False, False, True]
            assert found.stat("unkept") == 2
        async with found.kernel.acquire() as one, found.kernel.acquire() as two:
            assert {await one.fetchval(ZONE), await two.fetchval(ZONE)} == {"Asia/Tokyo"}, "the old one is replaced"
        assert found.stat("lost") == 0
        assert found.stat("lent") == 0
        assert found.stat("identities") == 2
        assert found.plugin.told.count("reset") == 1


async def test_an_answer_that_was_on_its_way(dsn: str) -> None:
    async with heard(dsn, max_size=2) as found:
        other = await asyncpg.connect(dsn)
        await other.execute("select pg_advisory_lock(1)")
        waits = asyncio.ensure_future(found.kernel.fetchval(f"select pg_advisory_lock(1), {ZONE[7:]}", column=1))
        while not await other.fetchval("select count(*) from pg_locks where not granted and locktype = 'advisory'"):
            pass
        await found.set("timezone", "Asia/Tokyo")
        assert await found.kernel.fetchval(ZONE) == "Asia/Tokyo"
        await other.close()
        assert await waits == "UTC"
        assert found.plugin.keep == [True, False]


async def test_a_computed_value_of_such_answers(dsn: str) -> None:
    async with heard(dsn, max_size=2) as found, found.kernel.acquire() as old:
        await old.fetch("select 1")
        await found.set("timezone", "Asia/Tokyo")
        await found.kernel.fetch("select 1")

        async def both() -> tuple[str, str]:
            return await old.fetchval(ZONE), await found.kernel.fetchval(ZONE)

        async def new() -> str:
            return str(await found.kernel.fetchval(ZONE))

        found.plugin.keep.clear()
        assert await found.kernel.cached("both", both) == ("UTC", "Asia/Tokyo")
        assert found.plugin.keep == [False, True, False]
        found.plugin.keep.clear()
        assert await found.kernel.cached("new", new) == "Asia/Tokyo"
        assert found.plugin.keep == [True, True]


async def test_who_depends_on_more_settings_gets_other_connections(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that joins later may depend on settings which nobody has asked for so far."""
    sql = "select current_setting('app.shop', true)"
    async with heard(dsn, max_size=2) as found:
        await found.set("app.shop", "7")
        assert await found.kernel.fetchval(sql) is None
        monkeypatch.setattr(HeardPlugin, "session_settings", ("app.shop",))
        await found.kernel.disable("heard")
        await found.kernel.enable("heard")
        assert await found.kernel.fetchval(sql) == "7"
        assert found.plugin.told == ["reset", sql]
        assert found.plugin.keep == [True]
        pid = await found.kernel.fetchval(PID)
        await found.kernel.disable("heard")
        await found.kernel.enable("heard")
        assert await found.kernel.fetchval(PID) == pid, "they are known by now"


async def test_connections_that_differ_all_the_time(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers behind one name: they are not replaced for ever, nothing is kept, and later it is tried again."""
    async with heard(dsn, max_size=2) as found:
        async with found.kernel.acquire() as old:
            await old.fetch("select 1")
            for zone in ("Asia/Tokyo", "Europe/Rome"):
                await found.set("timezone", zone)
                pids = {holder._con.get_server_pid() for holder in found.pool._pool()._holders if holder._con}
                for pid in pids - {await old.fetchval(PID)}:
                    await found.end(pid)
                assert await found.kernel.fetchval(ZONE) == zone
            assert found.pool.identity == ""
            found.plugin.keep.clear()
            pid = await found.kernel.fetchval(PID)
            assert await found.kernel.fetchval(PID) == pid
            await old.fetch("select 1")
            assert found.plugin.keep == [False] * 3
            monkeypatch.setattr(fleet, "WINDOW", 0.0)
            found.plugin.keep.clear()
        async with found.kernel.acquire() as one, found.kernel.acquire() as two:
            assert {await one.fetchval(ZONE), await two.fetchval(ZONE)} == {"Europe/Rome"}
        assert found.plugin.keep == [True, True]
        assert found.pool.identity


async def test_alike_again_by_themselves(dsn: str) -> None:
    async with heard(dsn, max_size=2) as found:
        async with found.kernel.acquire() as old:
            await old.fetch("select 1")
            for zone in ("Asia/Tokyo", "Europe/Rome"):
                await found.set("timezone", zone)
                for pid in found.pool.pids() - {await old.fetchval(PID)}:
                    await found.end(pid)
                await found.kernel.fetch("select 1")
            assert found.pool.identity == ""
            await found.end(await old.fetchval(PID))
        await until(lambda: found.pool.identity)
