"""Connections that change things: each with limits, one process at a time, giving way to others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg

from galvo import GalvoError
from galvo_index.database import Connect

_TRY: Final = "select pg_catalog.pg_try_advisory_lock($1)"
_HOLDER: Final = """
select a.pid, a.application_name as application from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and (l.classid::int8 << 32) | l.objid::int8 = $1
"""
_IN_THE_WAY: Final = """
select exists (select from pg_catalog.pg_locks
  where not granted and pid <> $1 and $1 = any(pg_catalog.pg_blocking_pids(pid)))
"""
GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
"""What a lost connection raises, the first statement after which may still find it open."""
POLL: Final = 4
"""How often in the time that others may wait to look whether they do."""


class Busy(GalvoError):
    """Somebody else does it now."""


@asynccontextmanager
async def lane(
    connect: Connect, lock: int, what: str, *, wait: float, **settings: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection with `settings` that holds the advisory `lock`; names resolve in pg_catalog only.

    Raises Busy when somebody else holds it for longer than `wait` seconds: a sentence that says who does `what`.
    """
    connection = await connect()
    try:
        version = connection.get_server_version()
        if version < (13,):
            raise GalvoError(f"PostgreSQL {version.major} is too old: galvo changes nothing on one older than 13")
        # An orphan of a killed process ends soon: nobody keeps its limits any more.
        known = {"client_connection_check_interval": "2s"} if version >= (14,) else {}
        for name, value in {"search_path": "pg_catalog", **known, **settings}.items():
            await connection.execute("select pg_catalog.set_config($1, $2, false)", name, value)
        await _take(connection, lock, what, wait)
        yield connection
    finally:
        with suppress(TimeoutError, asyncpg.PostgresError, *GONE):
            await connection.close(timeout=10)


async def _take(connection: asyncpg.Connection, lock: int, what: str, wait: float) -> None:
    """Ask again and again: waiting in the server is a snapshot that a concurrent build waits for in turn."""
    for _ in range(max(1, int(wait / 0.2) + 1)):
        if await connection.fetchval(_TRY, lock):
            return
        await asyncio.sleep(min(wait, 0.2))
    holder = await connection.fetchrow(_HOLDER, lock)
    who = f" (pid {holder['pid']}, {holder['application'] or 'no name'!r})" if holder else ""
    raise Busy(f"another session{who} {what}: try again when it has ended")


@asynccontextmanager
async def giving_way(connect: Connect, working: asyncpg.Connection, seconds: float) -> AsyncIterator[None]:
    """Inside, `working`'s statement is cancelled when anybody has waited behind it for `seconds`.

    A build's lock lets writers pass, but not who alters the table, and writers queue behind that one.
    """
    watcher = await connect()
    watching = asyncio.create_task(_watch(watcher, working.get_server_pid(), seconds))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError, asyncpg.PostgresError, *GONE):
            await watching
        watcher.terminate()


async def _watch(watcher: asyncpg.Connection, pid: int, seconds: float) -> None:
    waited = 0
    while True:
        await asyncio.sleep(seconds / POLL)
        waited = waited + 1 if await watcher.fetchval(_IN_THE_WAY, pid) else 0
        if waited >= POLL - 1:
            await watcher.execute("select pg_catalog.pg_cancel_backend($1)", pid)
            waited = 0
