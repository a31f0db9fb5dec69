"""What a connection leads to is read once, by one query, and changes with all that changes answers by itself."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress
from pathlib import Path

import anyio
import asyncpg
import pytest

from galvo_embedded import Servers
from galvo_pool.identity import read_identity
from tests.conftest import until_released
from tests.plugins.pool.heard import LOST, PID, heard

pytestmark = pytest.mark.anyio
SETTINGS = ("TimeZone", "app.tenant")


async def identity(dsn: str, *settings: str, **options: str) -> bytes:
    """Of a new connection."""
    connection = await asyncpg.connect(dsn, server_settings=options)
    try:
        return await read_identity(connection, settings or SETTINGS)
    finally:
        await connection.close()


async def another(dsn: str, before: bytes) -> bytes:
    """The identity once the server has seen the crash and recovered from it."""
    with anyio.fail_after(30):
        while True:
            with suppress(*LOST):
                found = await identity(dsn)
                if found != before:
                    return found


async def test_connections_alike_have_one_identity(dsn: str) -> None:
    assert await identity(dsn) == await identity(dsn) == await identity(dsn, application_name="other", work_mem="1MB")


async def test_settings_users_and_databases_tell_connections_apart(dsn: str, server_dsn: str) -> None:
    name = "told_apart_" + dsn.split("/")[3].split("?")[0]
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"create role {name} login")
    try:
        found = [
            await identity(dsn), await identity(server_dsn), await identity(dsn, timezone="Asia/Tokyo"),
            await identity(dsn, role="pg_read_all_data"), await identity(dsn.replace("postgres@", f"{name}@")),
            await identity(dsn, **{"app.tenant": "7"}), await identity(dsn, **{"app.tenant": ""}),
            await identity(dsn, "TimeZone"), await identity(dsn, "DateStyle"),
        ]  # fmt: skip
        assert len({*found}) == len(found)
    finally:
        await connection.execute(f"drop role {name}")
        await connection.close()


async def test_nothing_of_the_role_hides_the_functions(dsn: str) -> None:
    """A search_path with a schema before pg_catalog."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "create schema evil; create function evil.current_setting(text, bool) returns text return 'same'::text"
    )
    path = {"search_path": "evil, pg_catalog"}
    assert await identity(dsn, **path) != await identity(dsn, **path, **{"app.tenant": "7"})
    await connection.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("version", [16, 18])
async def test_a_crash_and_a_restart_change_it(folder: Path, version: int) -> None:
    """After a crash the server's processes begin anew, but the server has not been started anew."""
    own = Servers(folder, postgres=version, options={"fsync": "off"})
    try:
        dsn = await own.postgres()
        before = await identity(dsn)
        assert await identity(dsn) == before
        victim = await asyncpg.connect(dsn)
        started = await victim.fetchval("select pg_postmaster_start_time()")
        os.kill(await victim.fetchval(PID), signal.SIGKILL)
        crashed = await another(dsn, before)
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select pg_postmaster_start_time()") == started
        await connection.close()
        own.close()
        until_released(folder)
        own = Servers(folder, postgres=version, options={"fsync": "off"})
        assert await identity(await own.postgres()) not in (before, crashed)
    finally:
        own.close()
        gc.collect()  # connections that were refused meanwhile leave futures behind


async def test_it_is_one_query_of_each_new_connection(dsn: str) -> None:
    async with heard(dsn, min_size=3, max_size=3) as found:
        counts = [holder._con._protocol.queries_count for holder in found.pool._pool()._holders]
        assert counts == [1, 1, 1]
        assert found.stat("identities") == 1
        assert found.plugin.told == [], "they are alike"


async def test_who_must_not_read_it_is_answered_but_nothing_is_kept(dsn: str) -> None:
    hidden = "execute on function pg_catalog.pg_stat_get_bgwriter_stat_reset_time()"
    user = "reads_" + dsn.split("/")[3].split("?")[0]
    other = await asyncpg.connect(dsn)
    await other.execute(f"create role {user} login; revoke {hidden} from public")
    try:
        async with heard(dsn.replace("postgres@", f"{user}@"), max_size=2) as found:
            assert found.pool.identity == ""
            pid = await found.kernel.fetchval(PID)
            assert await found.kernel.fetchval(PID) == pid, "it is not replaced in vain"
            async with found.kernel.acquire() as session:
                await session.fetch("select 1")
                await found.kernel.fetch("select 1")
                assert found.plugin.keep == [False] * 4
                await other.execute(f"grant {hidden} to public")
                found.plugin.keep.clear()
                await found.end(await session.fetchval(PID))
            async with found.kernel.acquire() as first, found.kernel.acquire() as second:  # the lost one's place, too
                await first.fetch("select 1")
                await second.fetch("select 1")
            assert len(found.pool.identity) == 32
            found.plugin.keep.clear()
            await found.kernel.fetch("select 1")
            assert found.plugin.keep == [True]
    finally:
        await other.execute(f"drop owned by {user}; drop role {user}")
        await other.close()
