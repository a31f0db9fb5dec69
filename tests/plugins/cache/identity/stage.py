"""What happens to a pool's connections: news for those to come, an administrator, a server that refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from galvo import Session
from tests.plugins.cache.situations.situation import Situation, connected, until

AT = "select at::text from visit where id = 1"
PID = "select pg_backend_pid()"


async def by_default(s: Situation, setting: str, value: str) -> None:
    """For whoever connects from now on, `other` included."""
    name = await s.admin.fetchval("select quote_ident(current_database())")
    await s.admin.execute(f"alter database {name} set {setting} = {value}")
    await s.other.execute(f"set {setting} = {value}")


@asynccontextmanager
async def renewed(s: Situation, setting: str, value: str) -> AsyncIterator[Session]:
    """A session on a new connection, which has brought the news; perhaps not as the first one."""
    before = s.kernel.plugin_stats("pool")["identities"]
    await by_default(s, setting, value)
    async with AsyncExitStack() as stack:
        while True:
            session = await stack.enter_async_context(s.kernel.acquire())
            await session.fetch(PID)
            if s.kernel.plugin_stats("pool")["identities"] > before:
                break
        yield session


async def end(s: Situation, pid: int) -> None:
    """An administrator ends one of the pool's connections; on return the pool knows."""
    before = s.kernel.plugin_stats("pool")["lost"]
    await s.admin.execute("select pg_terminate_backend($1, 10000)", pid)

    async def noticed() -> bool:
        return s.kernel.plugin_stats("pool")["lost"] > before

    await until(noticed)


async def trusted(s: Situation) -> bool:
    return not s.kernel.find_capability("pool")._fleet.doubt.is_set()


async def served(s: Situation, sql: str) -> bool:
    """From memory."""
    before = s.ran(sql)
    await s.kernel.fetch(sql)
    return s.ran(sql) == before


@asynccontextmanager
async def refusing(s: Situation, server_dsn: str) -> AsyncIterator[None]:
    """The server takes no new connections to the database."""
    name = await s.admin.fetchval("select quote_ident(current_database())")
    async with connected(server_dsn) as server:
        await server.execute(f"alter database {name} allow_connections false")
        try:
            yield
        finally:
            await server.execute(f"alter database {name} allow_connections true")
